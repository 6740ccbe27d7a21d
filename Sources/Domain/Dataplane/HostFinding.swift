// SPDX-License-Identifier: Apache-2.0

/// Something about this host that keeps pods from reaching each other, or may.
package struct HostFinding: Hashable, Sendable, CustomStringConvertible {
    /// What was looked at; the raw value is the name in the REST endpoint and in `tartan check`.
    package enum Check: String, Hashable, Sendable, CaseIterable {
        case vxlanSupport = "vxlan-support"
        case vxlanDevice = "vxlan-device"
        case udpPort = "udp-port"
        case overlappingRoute = "overlapping-route"
        case mtu
        case forwarding
        case ipv6
        case routerAdvertisements = "router-advertisements"
        case forwardPolicy = "forward-policy"
        case reversePathFilter = "reverse-path-filter"
        case networkd
    }

    package enum Severity: String, Hashable, Sendable, Comparable, CaseIterable {
        /// Worth knowing when something else does not work.
        case note
        /// Some packets will not arrive, or not under all circumstances.
        case warning
        /// The pods' network does not work like this.
        case fault

        package static func < (left: Self, right: Self) -> Bool {
            allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
        }
    }

    package let check: Check
    package let severity: Severity
    /// What is so.
    package let what: String
    /// Why it matters.
    package let why: String
    /// A command that a person could type.
    package let remedy: String

    package init(_ check: Check, _ severity: Severity, what: String, why: String, remedy: String) {
        self.check = check
        self.severity = severity
        self.what = what
        self.why = why
        self.remedy = remedy
    }

    package var description: String { "\(what): \(why); remedy: \(remedy)" }
}
