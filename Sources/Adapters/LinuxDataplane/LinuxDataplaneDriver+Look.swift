// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import IPAddressing
import Netlink

/// A VXLAN device as the kernel has it.
package struct PresentDevice: Hashable, Sendable {
    package let device: VXLANDevice
    package let isUp: Bool
}

extension LinuxDataplaneDriver {
    /// The VXLAN device of that name as it is, `nil` where there is none, so that ``seen()`` tells what is on it:
    /// what ``prepare(_:)`` does for one that is to be changed. Changes nothing. An error where the name is that of
    /// another kind of device.
    package func look(atDevice name: String) async throws(DataplaneError) -> PresentDevice? {
        guard let mac = try await existingMAC(ofDevice: name) else { return nil }
        let socket = socket
        let found = try await translating { () async throws(NetlinkError) -> (LinkMessage, [AddressMessage])? in
            guard let link = try await socket.link(named: name) else { return nil }
            return (link, try await socket.addresses(of: link.index))
        }
        guard let (link, addresses) = found, case .vxlan(let there)? = link.kind else { return nil }
        var local = IPv4Address(bits: 0)
        if case .v4(let address)? = there.local { local = address }
        var address: IPv4Prefix?
        if case .v4(let host)? = addresses.first(where: { $0.prefixLength == 32 })?.address {
            address = IPv4Prefix(host: host)
        }
        let device = VXLANDevice(
            name: name, vni: there.vni, port: there.port, mac: mac, mtu: Int(link.mtu ?? 0),
            underlayIndex: there.underlay ?? 0, local: local, address: address, learning: there.learning,
            gbp: there.gbp)
        drift.follow(device, at: link.index)
        return PresentDevice(device: device, isUp: link.isUp == true)
    }
}
