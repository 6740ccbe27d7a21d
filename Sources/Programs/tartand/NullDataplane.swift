// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing

/// The dataplane of `--dataplane none`: the host is asked who it is where it must be, and never touched.
struct NullDataplane<Host: DataplaneDriver>: DataplaneDriver {
    let host: Host

    func underlay(_ selection: UnderlaySelection) async throws(DataplaneError) -> Underlay {
        // An authority need not carry packets: with an address to announce it needs no interface.
        if selection.publicIP != nil || selection.publicIPv6 != nil, selection.interfaces.isEmpty,
            selection.patterns.isEmpty
        {
            return Underlay(
                name: "", index: 0, mtu: 1500, address: selection.publicIP ?? .any, ipv6Address: selection.publicIPv6)
        }
        return try await host.underlay(selection)
    }

    /// The host's own, of which only the addresses matter.
    var changeSignals: AsyncStream<Void> { host.changeSignals }

    func takeChanges() async -> DataplaneChanges<IPv4Address> {
        let all = await host.takeChanges()
        var changes = DataplaneChanges<IPv4Address>()
        changes.isUnderlayChanged = all.isUnderlayChanged || all.isEverythingStale
        return changes
    }

    func existingMAC(ofDevice name: String) async throws(DataplaneError) -> MACAddress? { nil }
    func prepare<Address: DataplaneAddress>(_ device: VXLANDevice<Address>) async throws(DataplaneError) {}
    func supportsNextHops() async throws(DataplaneError) -> Bool { true }
    func seen() async throws(DataplaneError) -> DataplaneState<IPv4Address> { DataplaneState() }
    func apply(_ operations: [Operation<IPv4Address>]) async -> [OperationFailure] { [] }
}
