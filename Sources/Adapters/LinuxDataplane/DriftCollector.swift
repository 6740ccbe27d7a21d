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

    struct State {
        var ipv4 = FamilyDrift<IPv4Address>()
        var ipv6 = FamilyDrift<IPv6Address>()
        var underlay: Underlay?
        var isUnderlayUp = true
        /// The newest word on the underlay.
        var underlayLink: LinkMessage?
        var isUnderlayChanged = false
        var areAddressesChanged = false
        var isEverythingStale = false
    }

    init() {
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The devices and losses of one family; those of the other are none of the body's business.
    func with<Address: TrackedAddress, Result: Sendable>(
        _ family: Address.Type, _ body: (inout FamilyDrift<Address>) -> Result
    ) -> Result {
        state.withLock { body(&$0[keyPath: Address.drift]) }
    }

    func unfollowDevice(named name: String) {
        state.withLock { state in
            state.ipv4.unfollow(name)
            state.ipv6.unfollow(name)
        }
    }

    func follow(_ underlay: Underlay, isUp: Bool) {
        state.withLock { state in
            state.underlay = underlay
            state.ipv4.devices.underlay = underlay.index
            state.ipv6.devices.underlay = underlay.index
            state.isUnderlayUp = isUp
        }
    }

    /// Every VXLAN device that is followed.
    var deviceIndices: [UInt32] {
        state.withLock { [$0.ipv4.devices.vxlan, $0.ipv6.devices.vxlan].compactMap(\.self) }
    }

    func take(_ event: KernelEvent) {
        let isNews = state.withLock { state in
            switch event {
            case .lost: state.isEverythingStale = true
            case .link(let link, let outcome): return state.take(link, outcome)
            case .address(let address, let outcome): return state.take(address, outcome)
            case .neighbor(let neighbor, let outcome):
                return state.ipv4.take(neighbor, outcome) || state.ipv6.take(neighbor, outcome)
            case .nextHop(let nextHop, let outcome):
                return NextHopID(nextHop.id).isIPv6
                    ? state.ipv6.take(nextHop, outcome) : state.ipv4.take(nextHop, outcome)
            case .route(let route, let outcome):
                return route.isIPv4 ? state.ipv4.take(route, outcome) : state.ipv6.take(route, outcome)
            }
            return true
        }
        if isNews { signal.yield() }
    }

    /// Those of the IPv4 family, with what is not of one family.
    func takeChanges() -> DataplaneChanges<IPv4Address> {
        state.withLock { state in
            state.judgeUnderlay()
            var changes = state.ipv4.takeChanges()
            changes.isUnderlayChanged = state.isUnderlayChanged
            changes.areAddressesChanged = state.areAddressesChanged
            changes.isEverythingStale = state.isEverythingStale
            state.isUnderlayChanged = false
            state.areAddressesChanged = false
            state.isEverythingStale = false
            return changes
        }
    }

    func takeIPv6Changes() -> DataplaneChanges<IPv6Address> { state.withLock { $0.ipv6.takeChanges() } }
}

extension DriftCollector.State {
    fileprivate mutating func take(_ link: LinkMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        if ipv4.take(link, outcome) || ipv6.take(link, outcome) { return true }
        guard let underlay, link.index == underlay.index || link.name == underlay.name else { return false }
        if outcome == .gone {
            isUnderlayChanged = true
            underlayLink = nil
        } else {
            // Down and up between two looks, it has lost its routes; without a carrier, its next hops with theirs.
            if link.carriesPackets != isUnderlayUp { isUnderlayChanged = true }
            isUnderlayUp = link.carriesPackets
            underlayLink = link
        }
        return true
    }

    fileprivate mutating func take(_ message: AddressMessage, _ outcome: KernelEvent.Outcome) -> Bool {
        guard let address = message.address else { return false }
        if let isNews = ipv4.take(message, outcome) ?? ipv6.take(message, outcome) { return isNews }
        switch address {
        case .v4(let address): note(address, message, outcome)
        case .v6(let address):
            guard !address.isLinkLocal else { return false }
            note(address, message, outcome)
        }
        return true
    }

    /// The news that an address is there is also that its lifetime is another one (RFC 4862, 5.5.3): with every router
    /// advertisement, which changes nothing here.
    private mutating func note<Address: TrackedAddress>(
        _ address: Address, _ message: AddressMessage, _ outcome: KernelEvent.Outcome
    ) {
        areAddressesChanged = true
        guard let underlay, message.index == underlay.index else { return }
        let isKnown = Address.networks(of: underlay).contains {
            $0.contains(address) && $0.length == message.prefixLength
        }
        let own = Address.address(of: underlay)
        // Between its going and the look that finds it gone it may come back.
        let isBack = outcome != .gone && self[keyPath: Address.drift].departed == address
        if isBack { self[keyPath: Address.drift].departed = nil }
        let isLost = outcome == .gone && address == own
        if isLost { self[keyPath: Address.drift].departed = address }
        if own == nil || isLost || isBack || isKnown == (outcome == .gone) { isUnderlayChanged = true }
    }

    fileprivate mutating func judgeUnderlay() {
        if let underlay, let link = underlayLink,
            (link.index, link.name, link.mtu.map { Int($0) }) != (underlay.index, underlay.name, underlay.mtu)
        {
            isUnderlayChanged = true
        }
        underlayLink = nil
    }
}

extension LinkMessage {
    /// Up, and with a carrier.
    var carriesPackets: Bool { (isUp ?? false) && isRunning }
}
