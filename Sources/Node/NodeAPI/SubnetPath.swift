// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import IPAddressing
import Leases

/// A subnet as it stands in a path: `10.244.20.0-24` as in etcd's key, or `10.244.20.0%2F24`, the `subnet` of a lease
/// made fit for a path.
enum SubnetPath {
    /// `nil` for what looks like a subnet and can't be one, such as 10.244.20.1-24: then nobody has it.
    static func key(_ context: APIRequestContext) throws(APIProblem) -> SubnetKey? {
        let text = context.parameters.get("subnet") ?? ""
        guard let decoded = PercentEncoding.decode(text) else { throw unreadable(text) }
        let canonical = String(decoded.map { $0 == "/" ? "-" : $0 })
        if let key = try? SubnetKey(parsing: canonical) { return key }
        guard hasForm(canonical) else { throw unreadable(text) }
        return nil
    }

    /// The same where it must be one.
    static func present(_ context: APIRequestContext) throws(APIProblem) -> SubnetKey {
        guard let key = try key(context) else {
            throw .notFound("nobody has \(context.parameters.get("subnet") ?? ""): no subnet begins there")
        }
        return key
    }

    private static func unreadable(_ text: String) -> APIProblem {
        .badParameter("subnet", "'\(text)' is not a subnet as it stands in a path, such as 10.244.20.0-24")
    }

    private static func hasForm(_ text: String) -> Bool {
        let parts = text.split(separator: "&", maxSplits: 1, omittingEmptySubsequences: false)
        let first = parts[0].split(separator: "-", omittingEmptySubsequences: false)
        guard first.count == 2, (try? IPv4Address(parsing: first[0])) != nil, let length = number(first[1]),
            length <= 32
        else { return false }
        guard parts.count == 2 else { return true }
        let second = parts[1].split(separator: "-", omittingEmptySubsequences: false)
        return second.count == 2 && !second[0].isEmpty && number(second[1]) != nil
            && second[0].utf8.allSatisfy {
                $0 == UInt8(ascii: ":")
                    || Character(UnicodeScalar($0)).isHexDigit
                        && !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0)
            }
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0")
        else { return nil }
        return Int(text)
    }
}
