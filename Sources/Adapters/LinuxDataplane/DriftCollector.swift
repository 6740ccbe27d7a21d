// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Netlink
import Synchronization

/// Turns the kernel's notifications into what has changed since somebody last asked: the newest word on each entry.
///
/// Devices are judged only when somebody asks, by the newest word on them: in between, our own changes pass by, which
/// the kernel does not mark as ours. Only that the device was down, or gone, is not forgotten when it comes back: its
/// next hops and routes went, of which the kernel says nothing.
final class DriftCollector: Sendable {
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    fileprivate struct State {
        var devices = EgressDevices()
        var device: VXLANDevice?
        var underlay: Underlay?
        var isUnderlayUp = true
        var changes = DataplaneChanges<IPv4Address>()
        /// The newest word on the VXLAN device and the underlay.
        var deviceLink: LinkMessage?
        var losses = DeviceLosses()
        var underlayLink: LinkMessage?
        /// On the VXLAN device's addresses: whether they are there.
        var deviceAddresses: [IPv4Prefix: Bool] = [:]
    }

    init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var devices: EgressDevices { state.withLock { $0.devices } }

    func follow(_ device: VXLANDevice, at index: UInt32) {
        state.withLock { state in
            if state.devices.vxlan != index {
                state.deviceLink = nil
                state.deviceAddresses = [:]
            }
            state.device = device
            state.devices.vxlan = index
        }
    }

    func unfollowDevice(named name: String) {
        state.withLock { state in
            guard state.device?.name == name else { return }
            state.device = nil
            state.devices.vxlan = nil
            state.deviceLink = nil
            state.deviceAddresses = [:]
            state.losses = DeviceLosses()
        }
    }

    func follow(_ underlay: Underlay, isUp: Bool) {
        state.withLock { state in
            state.underlay = underlay
            state.devices.underlay = underlay.index
            state.isUnderlayUp = isUp
        }
    }

    /// What the VXLAN device has lost so far, for ``forgetLosses(since:)``.
    var losses: DeviceLosses { state.withLock { $0.losses } }

    /// What the device lost since then was our own doing, but for the going of the one that there is now.
    func forgetLosses(since before: DeviceLosses) {
        state.withLock { state in
            state.losses.wasDown = before.wasDown
            let gone = state.losses.gone
            state.losses.gone = before.gone.union(gone.filter { $0 == state.devices.vxlan })
        }
    }

    func take(_ event: KernelEvent) {
        let isNews = state.withLock { state in
            switch event {
            case .lost: state.changes.isEverythingStale = true
            case .link(let link, let outcome): return state.take(link, outcome)
            case .address(let address, let outcome): return state.take(address, outcome)
            case .neighbor(let neighbor, let outcome): return state.take(neighbor, outcome)
            case .nextHop(let nextHop, let outcome): return state.take(nextHop, outcome)
            case .route(let route, let outcome): return state.take(route, outcome)
            }
            return true
        }
        if isNews { signal.yield() }
    }

    func takeChanges() -> DataplaneChanges<IPv4Address> {
        state.withLock { state in
            state.judgeDevices()
            defer { state.changes = DataplaneChanges() }
            return state.changes
        }
    }
}

/// What became of the VXLAN device between two looks and can't be seen of it any more.
struct DeviceLosses: Hashable {
    var wasDown = false
    /// The indices of those that went.
    var gone: Set<UInt32> = []
}

extension DriftCollector.State {
    fileprivate mutating func take(_ link: LinkMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        if let device, link.index == devices.vxlan || link.name == device.name {
            if outcome == .gone {
                losses.gone.insert(link.index)
                deviceLink = nil
            } else {
                if link.isUp == false { losses.wasDown = true }
                deviceLink = link
            }
            return true
        }
        guard let underlay, link.index == underlay.index || link.name == underlay.name else { return false }
        if outcome == .gone {
            changes.isUnderlayChanged = true
            underlayLink = nil
        } else {
            // Down and up between two looks, it has lost its routes; without a carrier, its next hops with theirs.
            if link.carriesPackets != isUnderlayUp { changes.isUnderlayChanged = true }
            isUnderlayUp = link.carriesPackets
            underlayLink = link
        }
        return true
    }

    fileprivate mutating func take(_ message: AddressMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        guard case .v4(let address)? = message.address else { return false }
        if message.index == devices.vxlan {
            guard let prefix = IPv4Prefix(address, length: Int(message.prefixLength)), prefix.address == address else {
                return false
            }
            deviceAddresses[prefix] = outcome != .gone
            return true
        }
        changes.areAddressesChanged = true
        if message.index == devices.underlay, let underlay {
            let isKnown = underlay.networks.contains { $0.contains(address) && $0.length == message.prefixLength }
            if address == underlay.address || isKnown == (outcome == .gone) { changes.isUnderlayChanged = true }
        }
        return true
    }

    fileprivate mutating func take(_ message: NeighborMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        guard message.device == devices.vxlan else { return false }
        var one = DataplaneState<IPv4Address>()
        if outcome != .gone { one.take(message) }
        switch (message.table, message.destination, message.mac) {
        case (.ipv4, .v4(let address)?, _): changes.neighbors.updateValue(one.neighbors[address], forKey: address)
        case (.fdb, _, let mac?) where message.isInOwnTable: changes.fdb.updateValue(one.fdb[mac], forKey: mac)
        default: return false
        }
        return true
    }

    fileprivate mutating func take(_ message: NextHopMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        let id = NextHopID(message.id)
        // One of another program's is our business only where it took the place of one of ours.
        guard message.origin == LinuxDataplaneDriver.origin || outcome == .replacing else { return false }
        var one = DataplaneState<IPv4Address>()
        if outcome != .gone { one.take(message, devices) }
        changes.nextHops.updateValue(one.nextHops[id], forKey: id)
        return true
    }

    fileprivate mutating func take(_ message: RouteMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        guard message.table == RouteMessage.mainTable, message.priority ?? 0 == 0,
            message.origin == LinuxDataplaneDriver.origin || outcome == .replacing,
            let prefix = message.prefix(of: IPv4Address.self), message.isIPv4
        else { return false }
        var one = DataplaneState<IPv4Address>()
        if outcome != .gone { one.take(message, devices) }
        changes.routes.updateValue(one.routes[prefix], forKey: prefix)
        return true
    }

    fileprivate mutating func judgeDevices() {
        if let device {
            if losses != DeviceLosses() { changes.isDeviceChanged = true }
            if let link = deviceLink {
                if link.index != devices.vxlan { changes.isDeviceChanged = true }
                if case .vxlan(let settings)? = link.kind {
                    if device.mending(of: link, settings) != .nothing { changes.isDeviceChanged = true }
                } else {
                    changes.isDeviceChanged = true
                }
            }
            for (prefix, isThere) in deviceAddresses where device.address != nil && prefix.length == 32 {
                if isThere != (prefix == device.address) { changes.isDeviceChanged = true }
            }
        }
        if let underlay, let link = underlayLink,
            (link.index, link.name, link.mtu.map { Int($0) }) != (underlay.index, underlay.name, underlay.mtu)
        {
            changes.isUnderlayChanged = true
        }
        deviceLink = nil
        losses = DeviceLosses()
        underlayLink = nil
        deviceAddresses = [:]
    }
}

extension LinkMessage {
    /// Up, and with a carrier.
    var carriesPackets: Bool { (isUp ?? false) && isRunning }
}
