// SPDX-License-Identifier: Apache-2.0

/// A notification: what the kernel says has changed.
package enum KernelEvent: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        /// It is there now as the message says: new, or changed.
        case there
        /// It took the place of another with the same key, whose end is not told.
        case replacing
        case gone
    }

    case link(LinkMessage, Outcome)
    case address(AddressMessage, Outcome)
    case route(RouteMessage, Outcome)
    case nextHop(NextHopMessage, Outcome)
    case neighbor(NeighborMessage, Outcome)
    /// Notifications were lost: nothing that was known is sure any more (ENOBUFS).
    case lost

    init?(_ message: borrowing NetlinkMessage) {
        func outcome(_ new: MessageType) -> Outcome {
            if message.type != new { return .gone }
            return message.flags.contains(.replace) ? .replacing : .there
        }
        switch message.type {
        case .link(.new), .link(.delete):
            guard let link = LinkMessage(message) else { return nil }
            self = .link(link, outcome(.link(.new)))
        case .address(.new), .address(.delete):
            guard let address = AddressMessage(message) else { return nil }
            self = .address(address, outcome(.address(.new)))
        case .route(.new), .route(.delete):
            guard let route = RouteMessage(message) else { return nil }
            self = .route(route, outcome(.route(.new)))
        case .nextHop(.new), .nextHop(.delete):
            guard let nextHop = NextHopMessage(message) else { return nil }
            self = .nextHop(nextHop, outcome(.nextHop(.new)))
        case .neighbor(.new), .neighbor(.delete):
            guard let neighbor = NeighborMessage(message) else { return nil }
            self = .neighbor(neighbor, outcome(.neighbor(.new)))
        default: return nil
        }
    }
}
