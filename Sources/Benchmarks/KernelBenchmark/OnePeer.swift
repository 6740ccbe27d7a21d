// SPDX-License-Identifier: Apache-2.0

import BenchmarkKit
import CRawSender
import Etcd
import IPAddressing
import Lab
import Leases
import Netlink

/// How long it takes until one more peer is in the kernel, beside all those that are there.
///
/// Tartan: from the call that puts its lease into etcd to the kernel's word of its route: etcd, the watch, the
/// decision, and four entries. The others are told of it in memory and do the last of these alone.
struct OnePeer {
    let peers: Int
    let rounds: Int

    /// Seconds, in the order of size.
    struct Times {
        let all: [Double]

        init(_ all: [Duration]) { self.all = all.map(\.inSeconds).sorted() }

        var median: Double { all[all.count / 2] }
        /// The 99th percentile.
        var slowest: Double { all[min(all.count - 1, all.count * 99 / 100)] }
    }

    func raw() async throws -> Times {
        let arena = try await Arena.make()
        defer { arena.tearDown() }
        let count = UInt32(peers)
        _ = try arena.time { craw_add(arena.device, count) }
        return Times(
            try (1...rounds).map { round in
                try arena.time { craw_add_one(arena.device, count + UInt32(round)) }
            })
    }

    func script() async throws -> Times {
        let arena = try await Arena.make()
        defer { arena.tearDown() }
        let count = UInt32(peers)
        _ = try arena.time { craw_add(arena.device, count) }
        // A process each takes long: fewer of them tell as much.
        return Times(
            try (1...min(rounds, 50)).map { round in
                try CommandBatch(numbers: peers + round...peers + round, in: arena).start()
            })
    }

    func tartan(_ program: String) async throws -> Times {
        let scene = try await PeersScene.make(peers: peers)
        do {
            let daemon = try await DaemonProcess(program, in: scene)
            do {
                let times = try await measure(daemon)
                await daemon.process.stop()
                await scene.tearDown()
                return times
            } catch {
                await daemon.process.stop()
                throw error
            }
        } catch {
            await scene.tearDown()
            throw error
        }
    }

    private func measure(_ daemon: DaemonProcess) async throws -> Times {
        let scene = daemon.scene
        try await daemon.waitForEntries(try scene.connect())
        let (routes, continuation) = AsyncStream.makeStream(of: (IPAddress, ContinuousClock.Instant).self)
        let monitor = try NetlinkMonitor(in: NetworkNamespace(name: scene.namespace)) { event in
            if case .route(let route, .there) = event, let destination = route.destination {
                continuation.yield((destination, .now))
            }
        }
        let client = try scene.client()
        var times: [Duration] = []
        var iterator = routes.makeAsyncIterator()
        for number in peers + 1...peers + rounds {
            let start = ContinuousClock.now
            try await scene.peers.put(number, with: client)
            let subnet = IPAddress.v4(scene.peers.key(number).subnet.address)
            while let (destination, instant) = await iterator.next() {
                guard destination == subnet else { continue }
                times.append(instant - start)
                break
            }
        }
        await client.shutdown()
        await monitor.drain()
        return Times(times)
    }
}
