// SPDX-License-Identifier: Apache-2.0

/// What an rtnetlink message is about: a link, an address, a route, a next hop, a neighbour.
///
/// Written, it is what should be (or, in a dump request, the filter); read, what is. A field that is `nil` is not
/// written, or was not said.
package protocol NetlinkObject: Hashable, Sendable, CustomStringConvertible {
    static func messageType(_ verb: MessageType.Verb) -> MessageType

    /// Writes the kernel's fixed part and the attributes behind it.
    func put(into builder: inout MessageBuilder)

    /// Writes the request that lists what is like this one: of strict requests the kernel takes fewer fields.
    func putFilter(into builder: inout MessageBuilder)

    /// Reads the payload of a message of this kind; `nil` where it is not one.
    init?(_ message: borrowing NetlinkMessage)
}
