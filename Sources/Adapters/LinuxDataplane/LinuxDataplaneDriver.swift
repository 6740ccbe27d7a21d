// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
package import Netlink
import Synchronization

/// The kernel of a network namespace as the reconciler wants it: rtnetlink, and nothing that shells out.
///
/// What is ours: the VXLAN device with every neighbour and forwarding entry on it, and the routes and next hops of
/// protocol 116, on whichever device. Nothing else is changed or removed.
package final class LinuxDataplaneDriver: DataplaneDriver {
    /// Whether next-hop objects are used.
    package enum NextHopUse: Hashable, Sendable {
        case whereSupported
        /// As on a kernel before 5.3, for tests and for kernels whose next hops misbehave.
        case never
    }

    /// The mark of our routes and next hops.
    static let origin = RouteMessage.Origin(rawValue: 116)

    let socket: RouteSocket
    let namespace: NetworkNamespace
    private let nextHopUse: NextHopUse
    private let state = Mutex(State())
    let drift: DriftCollector
    let monitor: NetlinkMonitor

    private struct State {
        /// Whether the kernel has next-hop objects, once it was asked.
        var hasNextHops: Bool?
    }

    /// The namespace of the calling thread.
    package convenience init() throws(DataplaneError) {
        do {
            try self.init(in: try NetworkNamespace.current())
        } catch {
            throw DataplaneError(error)
        }
    }

    package init(in namespace: consuming NetworkNamespace, nextHops: NextHopUse = .whereSupported) throws(NetlinkError)
    {
        socket = try RouteSocket(in: namespace)
        let drift = DriftCollector()
        self.drift = drift
        monitor = try NetlinkMonitor(in: namespace, ignoring: socket) { drift.take($0) }
        self.namespace = namespace
        nextHopUse = nextHops
    }

    /// How often the kernel was handed messages: what tests count.
    package var sendCount: Int { get async { await socket.sendCount } }

    func devices<Address: TrackedAddress>(_ family: Address.Type) -> EgressDevices { drift.with(family) { $0.devices } }

    package var changeSignals: AsyncStream<Void> { drift.signals }

    package func takeChanges() async -> DataplaneChanges<IPv4Address> {
        await monitor.drain()
        return drift.takeChanges()
    }

    package func takeIPv6Changes() async -> DataplaneChanges<IPv6Address> {
        await monitor.drain()
        return drift.takeIPv6Changes()
    }

    package func supportsNextHops() async throws(DataplaneError) -> Bool {
        guard nextHopUse == .whereSupported else { return false }
        return try await kernelHasNextHops()
    }

    /// Also where they are not to be used: there may be some of ours from before.
    func kernelHasNextHops() async throws(DataplaneError) -> Bool {
        if let known = state.withLock({ $0.hasNextHops }) { return known }
        let has: Bool
        do {
            // A list of one device's is short, and an older kernel refuses even that.
            _ = try await socket.nextHops(device: 1)
            has = true
        } catch {
            guard [.notSupported, .invalid].contains(error.number) else { throw DataplaneError(error) }
            has = false
        }
        state.withLock { $0.hasNextHops = has }
        return has
    }
}
