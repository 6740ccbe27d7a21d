// SPDX-License-Identifier: Apache-2.0

/// How one member of an etcd cluster is run.
package struct EtcdSettings: Hashable, Sendable {
    package var name: String
    /// What it listens at, for clients and for its peers.
    package var address: String
    package var clientPort: UInt16 = 2379
    package var peerPort: UInt16 = 2380
    package var binaries: EtcdBinaries
    /// What etcd is to be started through, such as a program that enters a network namespace and then replaces itself
    /// by the rest of its arguments.
    package var launcher: [String] = []
    /// TLS for clients; peers always speak in the clear.
    package var tls: EtcdTLS?
    /// Further options of etcd.
    package var options: [String] = []
    /// Writes reach the disk when the kernel likes. A killed etcd loses nothing by that, only a killed machine.
    package var skipsSync = true

    package init(name: String = "etcd", address: String, binaries: EtcdBinaries) {
        self.name = name
        self.address = address
        self.binaries = binaries
    }

    package var clientURL: String { "\(tls == nil ? "http" : "https")://\(address):\(clientPort)" }
    package var peerURL: String { "http://\(address):\(peerPort)" }

    /// etcd's arguments. `members` are all of the cluster's, this one included.
    func arguments(dataDirectory: String, members: [EtcdSettings]) -> [String] {
        var arguments = [
            "--name", name, "--data-dir", dataDirectory, "--logger", "zap",
            "--listen-client-urls", clientURL, "--advertise-client-urls", clientURL,
            "--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL,
            "--initial-cluster", Self.cluster(members),
        ]
        if skipsSync { arguments.append("--unsafe-no-fsync") }
        if let tls {
            arguments += ["--cert-file", tls.certFile, "--key-file", tls.keyFile, "--trusted-ca-file", tls.caFile]
            if tls.asksClients { arguments.append("--client-cert-auth") }
        }
        return arguments + options
    }

    static func cluster(_ members: [EtcdSettings]) -> String {
        members.map { "\($0.name)=\($0.peerURL)" }.joined(separator: ",")
    }
}

/// The certificate files of an etcd for its clients, and those that etcdctl shows it.
package struct EtcdTLS: Hashable, Sendable {
    package var caFile: String
    package var certFile: String
    package var keyFile: String
    /// Whether clients must show a certificate of the same authority.
    package var asksClients = false
    /// What etcdctl shows.
    package var clientCertFile: String?
    package var clientKeyFile: String?

    package init(caFile: String, certFile: String, keyFile: String) {
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
    }
}
