// SPDX-License-Identifier: Apache-2.0

package import Etcd
package import Leases

/// Where things are in etcd: flannel's layout under a prefix.
package struct KeySpace: Hashable, Sendable {
    /// Without a slash at its end.
    package let prefix: String

    package init(prefix: String) {
        var prefix = prefix[...]
        while prefix.hasSuffix("/") { prefix = prefix.dropLast() }
        self.prefix = String(prefix)
    }

    /// The network config.
    package var config: String { "\(prefix)/config" }

    package var leases: KeyRange { KeyRange(prefix: leasePrefix) }

    /// Config and leases in one: one list and one watch say everything. What else lies between is ignored; what is
    /// kept under `PREFIX/tartan/` lies behind.
    package var everything: KeyRange { KeyRange(start: Array(config.utf8), end: leases.end) }

    package func key(of lease: SubnetKey) -> String { leasePrefix + lease.description }

    /// Notes of who had which subnet, one key a subnet (``HolderNote``).
    package var holders: KeyRange { KeyRange(prefix: holderPrefix) }

    package func holder(of lease: SubnetKey) -> String { holderPrefix + lease.description }

    /// The digest of the token that proves a lease's holder (``TokenNote``), on the lease's own grant.
    package func token(of lease: SubnetKey) -> String { "\(prefix)/tartan/tokens/\(lease)" }

    /// The subnet whose note a key is.
    func holderKey(_ key: [UInt8]) -> SubnetKey? {
        let prefix = holderPrefix.utf8
        guard key.starts(with: prefix) else { return nil }
        return try? SubnetKey(parsing: String(decoding: key.dropFirst(prefix.count), as: UTF8.self))
    }

    private var holderPrefix: String { "\(prefix)/tartan/holders/" }

    private var leasePrefix: String { "\(prefix)/subnets/" }

    /// What a key is.
    enum Meaning {
        case config
        /// The last element of a lease's key.
        case lease(name: ArraySlice<UInt8>)
        case other
    }

    func meaning(of key: [UInt8]) -> Meaning {
        let prefix = leasePrefix.utf8
        if key.starts(with: prefix) {
            return .lease(name: key.dropFirst(prefix.count))
        }
        return key.elementsEqual(config.utf8) ? .config : .other
    }
}
