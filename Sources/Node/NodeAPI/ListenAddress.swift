// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// Where the REST endpoint listens: `--api-listen`.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Port 0: any that is free.
    case tcp(IPAddress, port: UInt16)
    /// An absolute path.
    case unix(path: String)
    /// No endpoint at all.
    case none

    /// Reads `ADDRESS:PORT`, `[IPV6]:PORT`, `unix:PATH` or `none`. A host name is refused, because what it resolves to
    /// decides who can connect; `localhost` is 127.0.0.1.
    package init(parsing text: some StringProtocol) throws(ListenAddressError) {
        let text = String(text)
        if text == "none" {
            self = .none
        } else if text.hasPrefix("unix:") {
            self = .unix(path: try Self.socketPath(text.dropFirst(5), in: text))
        } else {
            self = try Self.tcp(text)
        }
    }

    /// The longest path that fits `sun_path` with its closing zero (unix(7)).
    private static let longestPath = 107

    private static func socketPath(_ path: Substring, in text: String) throws(ListenAddressError) -> String {
        guard path.hasPrefix("/"), !path.hasSuffix("/"), !path.utf8.contains(0) else {
            throw ListenAddressError(text, "must name a socket by an absolute path, such as unix:/run/tartan/api.sock")
        }
        guard path.utf8.count <= longestPath else {
            throw ListenAddressError(text, "is longer than the \(longestPath) bytes that a socket's path may have")
        }
        return String(path)
    }

    private static func tcp(_ text: String) throws(ListenAddressError) -> ListenAddress {
        guard let colon = text.lastIndex(of: ":"), let port = portNumber(text[text.index(after: colon)...]),
            let address = address(text[..<colon])
        else { throw ListenAddressError(text, "must be ADDRESS:PORT, [IPV6]:PORT, unix:PATH or none") }
        return .tcp(address, port: port)
    }

    private static func portNumber(_ text: Substring) -> UInt16? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt16(text) : nil
    }

    private static func address(_ text: Substring) -> IPAddress? {
        if text == "localhost" { return .v4(IPv4Address(127, 0, 0, 1)) }
        if text.hasPrefix("["), text.hasSuffix("]") {
            return (try? IPv6Address(parsing: text.dropFirst().dropLast())).map(IPAddress.v6)
        }
        return (try? IPv4Address(parsing: text)).map(IPAddress.v4)
    }

    /// Whether only this host's own processes can connect.
    package var isLocal: Bool {
        switch self {
        case .tcp(.v4(let address), _): address.isLoopback
        case .tcp(.v6(let address), _): address.isLoopback
        case .unix, .none: true
        }
    }

    package var description: String {
        switch self {
        case .tcp(.v4(let address), let port): "\(address):\(port)"
        case .tcp(.v6(let address), let port): "[\(address)]:\(port)"
        case .unix(let path): "unix:\(path)"
        case .none: "none"
        }
    }
}

/// What is wrong with a text that should have been a ``ListenAddress``.
package struct ListenAddressError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    private let reason: String

    init(_ text: String, _ reason: String) {
        self.text = text
        self.reason = reason
    }

    package var description: String { "'\(text)' \(reason)" }
}
