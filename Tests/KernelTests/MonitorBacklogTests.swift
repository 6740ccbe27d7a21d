// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Dispatch
import IPAddressing
import LinuxDataplane
import Netlink
import Synchronization
import Testing

/// A monitor that does not come to read while much happens.
@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct MonitorBacklogTests {
    private struct Count {
        var neighbors = 0
        var lost = 0
    }

    @Test func `of twenty thousand changes that waited none is lost`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(try await scene.device(driver))
        let count = Mutex(Count())
        // Its own queue waits here, no thread of the tests'.
        let gate = DispatchSemaphore(value: 0)
        let monitor = try NetlinkMonitor(in: NetworkNamespace(name: scene.name)) { event in
            let isFirst = count.withLock { count in
                switch event {
                case .neighbor: count.neighbors += 1
                case .lost: count.lost += 1
                case .link, .address, .route, .nextHop: return false
                }
                return count.neighbors == 1
            }
            if isFirst { gate.wait() }
        }
        let neighbors = (1...20_000).map { number in
            Operation.setNeighbor(
                Neighbor(
                    address: IPv4Address(bits: 0x0AC8_0000 + number),
                    mac: MACAddress(bits: 0x0200_0000_0000 + UInt64(number))))
        }
        #expect(await driver.apply(neighbors) == [])
        gate.signal()
        await monitor.drain()
        #expect(count.withLock { $0.neighbors } == 20_000)
        #expect(count.withLock { $0.lost } == 0)
    }
}
