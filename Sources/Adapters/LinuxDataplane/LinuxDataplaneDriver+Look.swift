// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
import Netlink

/// A VXLAN device as the kernel has it.
package struct PresentDevice<Address: DataplaneAddress>: Hashable, Sendable {
    package let device: VXLANDevice<Address>
    package let isUp: Bool
}

extension LinuxDataplaneDriver {
    /// The VXLAN device of that name as it is, `nil` where there is none, so that ``seen()`` or
    /// ``seenIPv6()`` tells what is on it:
    /// what ``prepare(_:)`` does for one that is to be changed. Changes nothing. An error where the name is that of
    /// another kind of device.
    package func look(atDevice name: String) async throws(DataplaneError) -> PresentDevice<IPv4Address>? {
        try await lookTracked(name)
    }

    package func look(atIPv6Device name: String) async throws(DataplaneError) -> PresentDevice<IPv6Address>? {
        try await lookTracked(name)
    }

    private func lookTracked<Address: TrackedAddress>(
        _ name: String
    ) async throws(DataplaneError) -> PresentDevice<Address>? {
        guard let mac = try await existingMAC(ofDevice: name) else { return nil }
        let socket = socket
        let found = try await translating { () async throws(NetlinkError) -> (LinkMessage, [AddressMessage])? in
            guard let link = try await socket.link(named: name) else { return nil }
            return (link, try await socket.addresses(of: link.index))
        }
        guard let (link, addresses) = found, case .vxlan(let there)? = link.kind else { return nil }
        let address = addresses.lazy.filter { $0.prefixLength == Address.Bits.bitWidth }
            .compactMap { $0.address.flatMap(Address.init(family:)) }.first.map { Prefix(host: $0) }
        let device = VXLANDevice(
            name: name, vni: there.vni, port: there.port, mac: mac, mtu: Int(link.mtu ?? 0),
            underlayIndex: there.underlay ?? 0, local: there.local.flatMap(Address.init(family:)) ?? Address(bits: 0),
            address: address,
            learning: there.learning,
            gbp: there.gbp)
        drift.with(Address.self) { $0.follow(device, at: link.index) }
        return PresentDevice(device: device, isUp: link.isUp == true)
    }
}
