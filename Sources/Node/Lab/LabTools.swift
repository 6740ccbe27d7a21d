// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The programs that a lab is made of.
package struct LabTools: Hashable, Sendable {
    /// `tartan` itself: its `lab enter` starts a program in a namespace.
    package var tartan: String
    package var tartand: String
    /// The CNI plugin, which makes the pods' network; `nil` where it was not found.
    package var plugin: String?
    package var etcd: EtcdBinaries

    /// Finds what is not given: `tartand` and `tartan-cni` beside `tartan`, else in `PATH`; etcd in `PATH`.
    package init(tartan: String, tartand: String? = nil) throws(LabFault) {
        let files = FileManager.default
        self.tartan = tartan
        let folder = tartan.lastIndex(of: "/").map { String(tartan[..<$0]) } ?? "."
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let folders = [folder] + path.split(separator: ":").map(String.init)
        let candidates = tartand.map { [$0] } ?? folders.map { $0 + "/tartand" }
        guard let daemon = candidates.first(where: { files.isExecutableFile(atPath: $0) }) else {
            throw LabFault(
                .missing,
                tartand.map { "\($0) is no program that can be run; give --tartand the daemon's path" }
                    ?? "there is no tartand beside \(tartan) nor in PATH; give its path with --tartand")
        }
        func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(files.currentDirectoryPath)/\(path)" }
        self.tartand = absolute(daemon)
        plugin = folders.map { $0 + "/tartan-cni" }.first { files.isExecutableFile(atPath: $0) }.map(absolute)
        guard let etcd = EtcdBinaries.installed else {
            throw LabFault(
                .missing,
                "the lab needs etcd and etcdctl; install Debian's packages etcd-server and etcd-client, or name their "
                    + "directory in TARTAN_ETCD")
        }
        self.etcd = etcd
    }

    /// The plugin's path, or what to do where there is none.
    func requirePlugin() throws(LabFault) -> String {
        guard let plugin else {
            throw LabFault(
                .missing,
                "there is no tartan-cni, which makes the pods' network, beside \(tartan) nor in PATH; build it with 'swift "
                    + "build -c release --static-swift-stdlib --product tartan-cni', or give --pods 0")
        }
        return plugin
    }

    /// The running program's own file.
    package static var ownPath: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/proc/self/exe"
    }

    /// What starts a program in a namespace: its arguments follow.
    package func launcher(into namespace: String) -> [String] { [tartan, "lab", "enter", namespace, "--"] }
}
