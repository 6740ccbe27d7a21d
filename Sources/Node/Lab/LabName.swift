// SPDX-License-Identifier: Apache-2.0

/// What a lab is called, and what its namespaces are called after it.
///
/// Invariant: a namespace's name tells which lab it belongs to, whatever that lab is called: `tartan-LAB-PLACE`, where
/// a place has no dash.
package struct LabName: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// Lower-case letters, digits and dashes; at most 32, so that the paths of its sockets stay short enough.
    package init(_ text: String) throws(LabFault) {
        let isFit =
            (1...32).contains(text.utf8.count) && text.first != "-"
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
            }
        guard isFit else {
            throw LabFault(
                .usage, "'\(text)' can't be a lab's name; use up to 32 lower-case letters, digits and dashes")
        }
        description = text
    }

    /// The name under which `ip netns` knows a place of the lab.
    package func namespace(of place: LabPlace) -> String { "tartan-\(description)-\(place)" }

    /// The place of this lab that the namespace is; `nil` where it is of another lab, or of none.
    package func place(of namespace: String) -> LabPlace? {
        let prefix = "tartan-\(description)-"
        guard namespace.hasPrefix(prefix) else { return nil }
        return LabPlace(String(namespace.dropFirst(prefix.count)))
    }
}

/// A namespace of a lab, by the name that people use.
package enum LabPlace: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Where the bridge and etcd are.
    case `switch`
    /// A member of etcd, where there are several.
    case etcd(Int)
    case node(Int)
    case pod(Int)

    package init?(_ text: String) {
        if text == "switch" {
            self = .switch
        } else if text.hasPrefix("etcd"), let number = Self.number(text.dropFirst(4)) {
            self = .etcd(number)
        } else if text.hasPrefix("node"), let number = Self.number(text.dropFirst(4)) {
            self = .node(number)
        } else if text.hasPrefix("pod"), let number = Self.number(text.dropFirst(3)) {
            self = .pod(number)
        } else {
            return nil
        }
    }

    /// Without a leading zero or sign: one spelling for one place.
    private static func number(_ digits: Substring) -> Int? {
        guard let first = digits.first, ("1"..."9").contains(first), digits.utf8.count <= 6,
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(digits)
    }

    package var description: String {
        switch self {
        case .switch: "switch"
        case .etcd(let number): "etcd\(number)"
        case .node(let number): "node\(number)"
        case .pod(let number): "pod\(number)"
        }
    }
}
