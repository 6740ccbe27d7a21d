// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The programs that a lab is made of.
package struct LabTools: Hashable, Sendable {
    /// `tartan` itself: its `lab enter` starts a program in a namespace.
    package var tartan: String
    package var tartand: String
    package var etcd: EtcdBinaries

    /// Finds what is not given: `tartand` beside `tartan`, else in `PATH`; etcd in `PATH`.
    package init(tartan: String, tartand: String? = nil) throws(LabFault) {
        let files = FileManager.default
        self.tartan = tartan
        let folder = tartan.lastIndex(of: "/").map { String(tartan[..<$0]) } ?? "."
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let candidates =
            tartand.map { [$0] } ?? ([folder] + path.split(separator: ":").map(String.init)).map { $0 + "/tartand" }
        guard let daemon = candidates.first(where: { files.isExecutableFile(atPath: $0) }) else {
            throw LabFault(
                .missing,
                tartand.map { "\($0) is no program that can be run; give --tartand the daemon's path" }
                    ?? "there is no tartand beside \(tartan) nor in PATH; give its path with --tartand")
        }
        self.tartand = daemon.hasPrefix("/") ? daemon : files.currentDirectoryPath + "/" + daemon
        guard let etcd = EtcdBinaries.installed else {
            throw LabFault(
                .missing,
                "the lab needs etcd and etcdctl; install Debian's packages etcd-server and etcd-client, or name their "
                    + "directory in TARTAN_ETCD")
        }
        self.etcd = etcd
    }

    /// The running program's own file.
    package static var ownPath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/proc/self/exe"
    }

    /// What starts a program in a namespace: its arguments follow.
    package func launcher(into namespace: String) -> [String] { [tartan, "lab", "enter", namespace, "--"] }
}
