// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What this process may do (capabilities(7)).
package enum LabPrivilege {
    /// CAP_NET_ADMIN and CAP_SYS_ADMIN: links, and namespaces with their mounts.
    private static let needed: [(name: String, bit: Int)] = [("CAP_NET_ADMIN", 12), ("CAP_SYS_ADMIN", 21)]

    /// The first capability that is missing; `nil` where none is.
    package static var missing: String? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let digits = line.split(whereSeparator: \.isWhitespace).last, let mask = UInt64(digits, radix: 16)
        else { return nil }
        return needed.first { mask >> UInt64($0.bit) & 1 == 0 }?.name
    }

    package static func check() throws(LabFault) {
        if let missing {
            throw LabFault(.notPermitted, "a lab is made of network namespaces, which needs \(missing); run it as root")
        }
    }
}
