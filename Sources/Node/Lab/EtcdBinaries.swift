// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Where etcd's two programs are.
package struct EtcdBinaries: Hashable, Sendable {
    package let etcd: String
    package let etcdctl: String

    /// Both in one directory; `nil` where one of them is missing.
    package init?(directory: String) {
        etcd = "\(directory)/etcd"
        etcdctl = "\(directory)/etcdctl"
        let files = FileManager.default
        guard files.isExecutableFile(atPath: etcd), files.isExecutableFile(atPath: etcdctl) else { return nil }
    }

    /// The ones of `TARTAN_ETCD`, a directory, or the first in `PATH`; `nil` where there are none.
    package static var installed: EtcdBinaries? {
        let environment = ProcessInfo.processInfo.environment
        if let directory = environment["TARTAN_ETCD"] { return EtcdBinaries(directory: directory) }
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").lazy.compactMap { EtcdBinaries(directory: String($0)) }.first
    }
}
