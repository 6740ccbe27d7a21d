// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Netlink

/// The host's interfaces with their addresses, as of one moment, and the rules by which one of them is chosen.
struct HostInterfaces {
    struct Choice: Hashable {
        let index: UInt32
        /// The one that was named; `nil`: the interface's first.
        var address: IPv4Address?
        var ipv6Address: IPv6Address?
        /// Which rule chose it, for a sentence.
        let reason: String

        mutating func take(_ source: IPAddress?) {
            switch source {
            case .v4(let address)?: self.address = address
            case .v6(let address)?: ipv6Address = address.isLinkLocal ? nil : address
            case nil: break
            }
        }
    }

    let links: [UInt32: LinkMessage]
    private let addresses: [UInt32: [AddressMessage]]

    init(links: [LinkMessage], addresses: [AddressMessage]) {
        self.links = Dictionary(links.map { ($0.index, $0) }) { first, _ in first }
        self.addresses = Dictionary(grouping: addresses, by: \.index)
    }

    /// Those that peers may send to, the reachable from afar first.
    func addresses(of index: UInt32) -> [IPv4Address] {
        let all = (addresses[index] ?? []).compactMap { message -> IPv4Address? in
            guard case .v4(let address)? = message.address, message.scope != .host else { return nil }
            return address
        }
        return all.filter { !$0.isLinkLocal } + all.filter(\.isLinkLocal)
    }

    /// The networks that the interface's addresses are in, in order; an address alone makes none.
    func networks(of index: UInt32) -> [IPv4Prefix] {
        let all = (addresses[index] ?? []).compactMap { message -> IPv4Prefix? in
            guard case .v4(let address)? = message.address, message.prefixLength < 32 else { return nil }
            return IPv4Prefix(address, length: Int(message.prefixLength))
        }
        return Set(all).sorted()
    }

    /// Those that peers may send to: global ones, those that stay before the passing.
    func ipv6Addresses(of index: UInt32) -> [IPv6Address] {
        let all = (addresses[index] ?? []).filter { $0.scope == .global && !$0.isDuplicate }
        return (all.filter { !$0.isPassing } + all.filter(\.isPassing)).compactMap { message in
            if case .v6(let address)? = message.address { address } else { nil }
        }
    }

    func ipv6Networks(of index: UInt32) -> [IPv6Prefix] {
        let all = (addresses[index] ?? []).compactMap { message -> IPv6Prefix? in
            guard case .v6(let address)? = message.address, message.prefixLength < 128, !address.isLinkLocal else {
                return nil
            }
            return IPv6Prefix(address, length: Int(message.prefixLength))
        }
        return Set(all).sorted()
    }

    /// The first interface that a name, an address or a pattern finds, in the order in which they are given.
    func choice(_ selection: UnderlaySelection) throws(DataplaneError) -> Choice? {
        for text in selection.interfaces {
            if let found = choice(named: text) { return found }
        }
        for pattern in selection.patterns {
            if let found = try choice(matching: pattern) { return found }
        }
        return nil
    }

    func complaint(about selection: UnderlaySelection) -> String {
        var parts: [String] = []
        if !selection.interfaces.isEmpty {
            parts.append(
                "--iface: there is no interface with the name or address "
                    + selection.interfaces.map { "'\($0)'" }.joined(separator: " or "))
        }
        if !selection.patterns.isEmpty {
            parts.append(
                "--iface-regex: no interface's name or address matches "
                    + selection.patterns.map { "'\($0)'" }.joined(separator: " or "))
        }
        let names = links.values.sorted { $0.index < $1.index }.compactMap(\.name)
        return parts.joined(separator: "; ") + "; this host has \(names.joined(separator: ", "))"
    }

    private var indices: [UInt32] { links.keys.sorted() }

    private func choice(named text: String) -> Choice? {
        if let link = links.values.first(where: { $0.name == text }) {
            return Choice(index: link.index, reason: "--iface")
        }
        if let address = try? IPv6Address(parsing: text) {
            return indices.first { ipv6Addresses(of: $0).contains(address) }
                .map { Choice(index: $0, ipv6Address: address, reason: "--iface") }
        }
        guard let address = try? IPv4Address(parsing: text) else { return nil }
        return indices.first { addresses(of: $0).contains(address) }
            .map { Choice(index: $0, address: address, reason: "--iface") }
    }

    private func choice(matching pattern: String) throws(DataplaneError) -> Choice? {
        guard let expression = try? Regex(pattern) else {
            throw .misconfigured("--iface-regex: '\(pattern)' is not a regular expression")
        }
        func matches(_ text: String) -> Bool { (try? expression.firstMatch(in: text)) ?? nil != nil }
        for index in indices where links[index]?.isLoopback == false {
            if let address = addresses(of: index).first(where: { matches($0.description) }) {
                return Choice(index: index, address: address, reason: "--iface-regex")
            }
            if let address = ipv6Addresses(of: index).first(where: { matches($0.description) }) {
                return Choice(index: index, ipv6Address: address, reason: "--iface-regex")
            }
            if let name = links[index]?.name, matches(name) { return Choice(index: index, reason: "--iface-regex") }
        }
        return nil
    }
}
