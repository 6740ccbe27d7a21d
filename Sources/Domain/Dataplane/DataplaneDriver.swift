// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// The host's network: the port through which the reconciler reaches the kernel.
///
/// Each call is idempotent: what is as wanted is left alone, and only entries that bear Tartan's mark are touched.
package protocol DataplaneDriver: Sendable {
    /// The interface that the rules choose, as it is now.
    func underlay(_ selection: UnderlaySelection) async throws(DataplaneError) -> Underlay

    /// The MAC address of the VXLAN device of that name, where there is one: a restarted daemon keeps it. An error
    /// where the name is that of another kind of device.
    func existingMAC(ofDevice name: String) async throws(DataplaneError) -> MACAddress?

    /// Makes the device, or adopts and mends the one that is there, and sets it up. A device of that name that can't
    /// be mended (another VNI, port or kind) is replaced if it is a VXLAN device, else an error.
    func prepare<Address: DataplaneAddress>(_ device: VXLANDevice<Address>) async throws(DataplaneError)

    /// Removes the VXLAN device of that name with all that is on it; one of another kind is not ours, and stays.
    func removeDevice(named name: String) async throws(DataplaneError)

    /// Whether the kernel has next-hop objects (Linux 5.3).
    func supportsNextHops() async throws(DataplaneError) -> Bool

    /// Everything of Tartan's that the kernel has on the prepared device and the underlay.
    func seen() async throws(DataplaneError) -> DataplaneState<IPv4Address>
    func seenIPv6() async throws(DataplaneError) -> DataplaneState<IPv6Address>

    /// Every address of the host but loopback's and the prepared devices'.
    func localAddresses() async throws(DataplaneError) -> Set<IPv4Address>
    /// Link-local ones, which are anybody's, left out.
    func localIPv6Addresses() async throws(DataplaneError) -> Set<IPv6Address>

    /// One element, however many, when ``takeChanges()`` may have something to say. For one reader.
    var changeSignals: AsyncStream<Void> { get }

    /// What changed in the kernel since this was last called, up to now: also of what this driver did everything is
    /// in it that the kernel does not mark as ours.
    func takeChanges() async -> DataplaneChanges<IPv4Address>
    /// The same of the entries and the device of IPv6; what concerns both families is said only once, there.
    func takeIPv6Changes() async -> DataplaneChanges<IPv6Address>

    /// Does every operation, in order, whatever became of the ones before; returns those that failed, by their place.
    /// Something to be removed that is not there was removed.
    func apply(_ operations: [Operation<IPv4Address>]) async -> [OperationFailure]
    func apply(_ operations: [Operation<IPv6Address>]) async -> [OperationFailure]
}

extension DataplaneDriver {
    package func removeDevice(named name: String) async throws(DataplaneError) {}
    package func localAddresses() async throws(DataplaneError) -> Set<IPv4Address> { [] }
    package func localIPv6Addresses() async throws(DataplaneError) -> Set<IPv6Address> { [] }
    package func seenIPv6() async throws(DataplaneError) -> DataplaneState<IPv6Address> { DataplaneState() }
    package var changeSignals: AsyncStream<Void> { AsyncStream { $0.finish() } }
    package func takeChanges() async -> DataplaneChanges<IPv4Address> { DataplaneChanges() }
    package func takeIPv6Changes() async -> DataplaneChanges<IPv6Address> { DataplaneChanges() }
    package func apply(_ operations: [Operation<IPv6Address>]) async -> [OperationFailure] { [] }
}

package struct OperationFailure: Hashable, Sendable {
    /// The operation's place in what was applied.
    package let index: Int
    package let error: DataplaneError

    package init(index: Int, error: DataplaneError) {
        self.index = index
        self.error = error
    }
}
