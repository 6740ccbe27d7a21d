// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BenchmarkKit
import Glibc

/// From nothing to a programmed host: how long a node takes that finds many peers in etcd, and what it costs.
///
///     swift build -c release --product tartand
///     swift run -c release PeersBenchmark --peers 10000
///
/// Needs root and etcd. Everything happens in a network namespace of its own, which is gone afterwards.
@main
struct PeersBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times a node's start against an etcd that holds many leases.")

    @Option(help: "How many peers' leases are in etcd before the start.")
    var peers = 10_000
    @Option(help: "How often the node is started, each time on a fresh kernel.")
    var runs = 5
    @Option(help: "The tartand to be measured. (default: the one beside this program)")
    var tartand: String?
    @Flag(help: "Start again on a kernel that has every entry already, as after a restart of the daemon.")
    var warm = false

    mutating func validate() throws {
        guard (1...65_000).contains(peers) else { throw ValidationError("--peers must be within 1 to 65000") }
        guard (1...100).contains(runs) else { throw ValidationError("--runs must be within 1 to 100") }
    }

    mutating func run() async throws {
        guard geteuid() == 0 else { throw BenchmarkError("network namespaces need root; run this as root") }
        let scene = try await PeersScene.make(peers: peers)
        do {
            try await measure(scene)
        } catch {
            await scene.tearDown()
            throw error
        }
        await scene.tearDown()
    }

    private func measure(_ scene: PeersScene) async throws {
        let program = try DaemonProcess.program(tartand)
        print("\(peers) peers, \(runs) runs\(warm ? ", warm" : ""), \(program)")
        print(Figures.heading)
        var all: [Figures] = []
        for number in 1...runs {
            let figures = try await DaemonRun(program: program, scene: scene, number: number).measure()
            print(figures.row("run \(number)"))
            all.append(figures)
            if !warm { try await scene.clearKernel() }
        }
        print(Figures.median(all).row("median"))
        if peers == 10_000, !warm { print(Figures.flanneld.row("flanneld *")) }
        print("* measured once on such a machine, see the README; every other row is of this run")
    }
}
