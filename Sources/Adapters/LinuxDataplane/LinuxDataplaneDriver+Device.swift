// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
import Netlink

extension LinuxDataplaneDriver {
    package func existingMAC(ofDevice name: String) async throws(DataplaneError) -> MACAddress? {
        let link = try await translating { () async throws(NetlinkError) in try await self.socket.link(named: name) }
        guard let link else { return nil }
        guard case .vxlan? = link.kind else { throw .notVXLAN(link, name) }
        return link.mac
    }

    package func prepare<Address: DataplaneAddress>(
        _ device: VXLANDevice<Address>
    ) async throws(DataplaneError) {
        if let device = device as? VXLANDevice<IPv4Address> { try await prepareTracked(device) }
        if let device = device as? VXLANDevice<IPv6Address> { try await prepareTracked(device) }
    }

    private func prepareTracked<Address: TrackedAddress>(
        _ device: VXLANDevice<Address>
    ) async throws(DataplaneError) {
        await monitor.drain()
        let losses = drift.with(Address.self) { $0.losses }
        try await adopt(device)
        // It was down, or another, for a moment, which was our own doing.
        await monitor.drain()
        drift.with(Address.self) { $0.forgetLosses(since: losses) }
    }

    package func removeDevice(named name: String) async throws(DataplaneError) {
        drift.unfollowDevice(named: name)
        let link = try await translating { () async throws(NetlinkError) in try await self.socket.link(named: name) }
        guard let link, case .vxlan? = link.kind else { return }
        try await remove(link)
    }

    /// Makes the device, or mends or replaces the one that is there.
    private func adopt<Address: TrackedAddress>(_ device: VXLANDevice<Address>) async throws(DataplaneError) {
        var there = try await translating { () async throws(NetlinkError) in
            try await self.socket.link(named: device.name)
        }
        if let found = there {
            guard case .vxlan(let settings)? = found.kind else {
                throw .notVXLAN(found, device.name)
            }
            if device.mending(of: found, settings) == .replace {
                try await remove(found)
                there = nil
            }
        }
        do {
            let link = try await make(device, from: there)
            drift.with(Address.self) { $0.follow(device, at: link.index) }
            try await setAddress(of: device, at: link.index)
        } catch {
            throw DataplaneError(error, about: "device \(device.name): \(error.operand)")
        }
    }

    /// The device as it should be; one whose VXLAN attributes the kernel can't change gives way to a new one. Any
    /// other refusal would meet a new one as well, and cost the entries of the one that is there.
    private func make<Address: TrackedAddress>(
        _ device: VXLANDevice<Address>, from there: LinkMessage?
    ) async throws(NetlinkError) -> LinkMessage {
        if let there {
            if try await mend(there, device) { return there }
            try await socket.removeLink(at: there.index)
        }
        let made = try await socket.addLink(device.link)
        _ = try await mend(made, device)
        return made
    }

    /// - Returns: `false` where the kernel says that such a device can't be made of this one.
    private func mend<Address: TrackedAddress>(
        _ link: LinkMessage, _ device: VXLANDevice<Address>
    ) async throws(NetlinkError) -> Bool {
        guard case .vxlan(let settings)? = link.kind else { return true }
        // A device without IPv6 has nothing there to be set.
        _ = try? namespace.set("ipv6/conf/\(device.name)/accept_ra", to: "0")
        // Where new devices have it off, this one needs it all the same.
        if Address.neighborTable == .ipv6 {
            _ = try? namespace.set("ipv6/conf/\(device.name)/disable_ipv6", to: "0")
        }
        guard case .change(let changes) = device.mending(of: link, settings) else { return true }
        for change in changes {
            do {
                try await socket.change(change)
            } catch {
                guard case .vxlanChange? = change.kind, [.invalid, .notSupported].contains(error.number) else {
                    throw error
                }
                return false
            }
        }
        return true
    }

    private func remove(_ link: LinkMessage) async throws(DataplaneError) {
        try await translating { () async throws(NetlinkError) in try await self.socket.removeLink(at: link.index) }
    }

    /// One address, and none of those that it had as the device of another subnet: ours are single ones. While there
    /// is no subnet, what is there stays.
    private func setAddress<Address: TrackedAddress>(
        of device: VXLANDevice<Address>, at index: UInt32
    ) async throws(NetlinkError) {
        guard let wanted = device.address else { return }
        let address = IPAddress(wanted.address)
        let there = try await socket.addresses(of: index)
        if !there.contains(where: { $0.address == address && $0.prefixLength == wanted.length }) {
            // Nobody else on this device could have it, and until it was asked for it could not be used.
            try await socket.addAddress(address, prefixLength: wanted.length, to: index, isAskedFor: false)
        }
        for stale in there where stale.address != address && stale.prefixLength == wanted.length {
            guard let old = stale.address, Address(family: old) != nil else { continue }
            try await socket.removeAddress(old, prefixLength: stale.prefixLength, from: index)
        }
    }
}

extension DataplaneError {
    fileprivate static func notVXLAN(_ link: LinkMessage, _ name: String) -> Self {
        .misconfigured(
            "'\(name)' is not a VXLAN device but \(link.kind.map { "of kind \($0)" } ?? "a real one"); "
                + "choose another name with --device")
    }
}
