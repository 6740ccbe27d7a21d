// SPDX-License-Identifier: Apache-2.0

import CLinux
package import IPAddressing

/// The question which way a packet to one address would go (`ip route get`), and its answer.
package struct RouteQuery: NetlinkObject {
    package var destination: IPAddress
    /// The answer; `nil` in the question.
    package private(set) var route: RouteMessage?

    package init(destination: IPAddress) { self.destination = destination }

    package static func messageType(_ verb: MessageType.Verb) -> MessageType { .route(verb) }

    private var header: rtmsg {
        var header = rtmsg()
        header.rtm_family = destination.family
        header.rtm_dst_len = destination.bitWidth
        return header
    }

    package func put(into builder: inout MessageBuilder) {
        builder.put(header)
        builder.attribute(RouteAttribute.destination, destination)
    }

    package func putFilter(into builder: inout MessageBuilder) { put(into: &builder) }

    package init?(_ message: borrowing NetlinkMessage) {
        guard let route = RouteMessage(answering: message), let destination = route.destination else { return nil }
        self.destination = destination
        self.route = route
    }

    package var description: String { "route to \(destination)" }
}
