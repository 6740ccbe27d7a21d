// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Netlink

/// A family of addresses with its place among what is followed.
protocol TrackedAddress: DataplaneAddress {
    static var drift: WritableKeyPath<DriftCollector.State, FamilyDrift<Self>> { get }
    static var neighborTable: NeighborMessage.Table { get }
    /// Of a route for which nobody said one.
    static var standardPriority: UInt32 { get }
}

extension IPv4Address: TrackedAddress {
    static var drift: WritableKeyPath<DriftCollector.State, FamilyDrift<Self>> { \.ipv4 }
    static var neighborTable: NeighborMessage.Table { .ipv4 }
    static var standardPriority: UInt32 { 0 }
}

extension IPv6Address: TrackedAddress {
    static var drift: WritableKeyPath<DriftCollector.State, FamilyDrift<Self>> { \.ipv6 }
    static var neighborTable: NeighborMessage.Table { .ipv6 }
    static var standardPriority: UInt32 { 1024 }  // IP6_RT_PRIO_USER, linux/ipv6_route.h
}

/// What became of the VXLAN device between two looks and can't be seen of it any more.
struct DeviceLosses: Hashable {
    var wasDown = false
    /// The indices of those that went.
    var gone: Set<UInt32> = []
}

/// What has changed of one family's device and entries.
struct FamilyDrift<Address: TrackedAddress>: Sendable {
    var devices = EgressDevices()
    /// The underlay's address that went last, until it is back.
    var departed: Address?
    /// What the device lost so far, for ``forgetLosses(since:)``.
    private(set) var losses = DeviceLosses()
    private var device: VXLANDevice<Address>?
    private var changes = DataplaneChanges<Address>()
    /// The newest word on the device.
    private var link: LinkMessage?
    /// On the device's addresses: whether they are there.
    private var addresses: [Prefix<Address>: Bool] = [:]

    mutating func follow(_ device: VXLANDevice<Address>, at index: UInt32) {
        if devices.vxlan != index {
            link = nil
            addresses = [:]
        }
        self.device = device
        devices.vxlan = index
    }

    mutating func unfollow(_ name: String) {
        guard device?.name == name else { return }
        device = nil
        devices.vxlan = nil
        link = nil
        addresses = [:]
        losses = DeviceLosses()
    }

    /// What the device lost since then was our own doing, but for the going of the one that there is now.
    mutating func forgetLosses(since before: DeviceLosses) {
        losses.wasDown = before.wasDown
        let gone = losses.gone
        losses.gone = before.gone.union(gone.filter { $0 == devices.vxlan })
    }

    mutating func takeChanges() -> DataplaneChanges<Address> {
        judgeDevice()
        defer { changes = DataplaneChanges() }
        return changes
    }

    /// - Returns: whether it is this device's.
    mutating func take(_ link: LinkMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        guard let device, link.index == devices.vxlan || link.name == device.name else { return false }
        if outcome == .gone {
            losses.gone.insert(link.index)
            self.link = nil
        } else {
            if link.isUp == false { losses.wasDown = true }
            self.link = link
        }
        return true
    }

    /// - Returns: whether it is news; `nil` where it is not of this device.
    mutating func take(_ message: AddressMessage, _ outcome: KernelEvent.Outcome) -> Bool? {
        guard message.index == devices.vxlan, let device = devices.vxlan, device != 0 else { return nil }
        guard let address = message.address.flatMap(Address.init(family:)),
            let prefix = Prefix(address, length: Int(message.prefixLength)), prefix.address == address
        else { return false }
        addresses[prefix] = outcome != .gone
        return true
    }

    mutating func take(_ message: NeighborMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        guard message.device == devices.vxlan else { return false }
        var one = DataplaneState<Address>()
        if outcome != .gone { one.take(message) }
        switch (message.table, message.destination.flatMap(Address.init(family:)), message.mac) {
        case (Address.neighborTable, let address?, _):
            changes.neighbors.updateValue(one.neighbors[address], forKey: address)
        case (.fdb, _, let mac?) where message.isInOwnTable: changes.fdb.updateValue(one.fdb[mac], forKey: mac)
        default: return false
        }
        return true
    }

    mutating func take(_ message: NextHopMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        let id = NextHopID(message.id)
        // One of another program's is our business only where it took the place of one of ours.
        guard message.origin == LinuxDataplaneDriver.origin || outcome == .replacing else { return false }
        var one = DataplaneState<Address>()
        if outcome != .gone { one.take(message, devices) }
        changes.nextHops.updateValue(one.nextHops[id], forKey: id)
        return true
    }

    mutating func take(_ message: RouteMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        guard message.table == RouteMessage.mainTable, message.hasStandardPriority(Address.self),
            message.origin == LinuxDataplaneDriver.origin || outcome == .replacing,
            let prefix = message.prefix(of: Address.self)
        else { return false }
        var one = DataplaneState<Address>()
        if outcome != .gone { one.take(message, devices) }
        changes.routes.updateValue(one.routes[prefix], forKey: prefix)
        return true
    }

    private mutating func judgeDevice() {
        if let device {
            if losses != DeviceLosses() { changes.isDeviceChanged = true }
            if let link {
                if link.index != devices.vxlan { changes.isDeviceChanged = true }
                if case .vxlan(let settings)? = link.kind {
                    if device.mending(of: link, settings) != .nothing { changes.isDeviceChanged = true }
                } else {
                    changes.isDeviceChanged = true
                }
            }
            for (prefix, isThere) in addresses where device.address != nil && prefix == Prefix(host: prefix.address) {
                if isThere != (prefix == device.address) { changes.isDeviceChanged = true }
            }
        }
        link = nil
        losses = DeviceLosses()
        addresses = [:]
    }
}
