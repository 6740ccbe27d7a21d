// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The command line, as it was written: nothing is checked yet, and what was left out is `nil`.
struct DaemonOptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tartand",
        abstract: "Leases this node a subnet, keeps it, and programs the host for every peer.",
        discussion: """
            Every option is also an environment variable (--etcd-endpoints is TARTAN_ETCD_ENDPOINTS) and a key of the \
            YAML file that --config names. The command line wins over the environment, the environment over the file.

            Exit codes: 0 success, 64 wrong usage, 69 something needed is not reachable, 70 a bug, 75 the lease was \
            lost, 77 missing privilege, 78 wrong configuration.
            """,
        version: "tartand \(Version.text)")

    @Option(help: "A YAML file with options.")
    var config: String?

    @Option(help: "etcd's members, comma-separated. (default: http://127.0.0.1:2379)")
    var etcdEndpoints: String?
    @Option(help: "Where config and leases are in etcd. (default: /coreos.com/network)")
    var etcdPrefix: String?
    @Option(help: "The authority that signed etcd's certificates, PEM; read again when it changes.")
    var etcdCafile: String?
    @Option(help: "This node's certificate for etcd, PEM; read again when it changes.")
    var etcdCertfile: String?
    @Option(help: "The key of that certificate, PEM; read again when it changes.")
    var etcdKeyfile: String?
    @Option(help: "The user to be for etcd.")
    var etcdUsername: String?
    @Option(help: "A file whose first line is that user's password.")
    var etcdPasswordFile: String?

    @Option(help: "Who this node is. (default: the host's name)")
    var nodeName: String?
    @Option(
        parsing: .singleValue,
        help: "The underlay's interface, by name or address; repeatable, the first that exists is used.")
    var iface: [String] = []
    @Option(parsing: .singleValue, help: "A regular expression for the same; repeatable, tried after --iface.")
    var ifaceRegex: [String] = []
    @Option(help: "The interface by which this address is reached.")
    var ifaceCanReach: String?
    @Option(help: "The address that peers send to. (default: the interface's)")
    var publicIp: String?
    @Option(help: "The IPv6 address that peers send to.")
    var publicIpv6: String?

    @Option(help: "How long the lease lives without renewal, such as 24h, 90s or 10m. (default: 24h)")
    var leaseTtl: String?
    @Option(
        help: """
            Where the subnet is published; none with --dataplane none for an authority that leases to others only. \
            (default: /run/flannel/subnet.env)
            """)
    var subnetFile: String?
    @Option(help: "Where the node remembers itself. (default: /var/lib/tartan)")
    var stateDir: String?
    @Option(
        help: """
            Where container runtimes are told of tartan-cni once pods can be started, such as \
            /etc/cni/net.d/10-tartan.conflist. (default: nowhere; the host's CNI is left alone)
            """)
    var cniConflist: String?
    @Flag(
        inversion: .prefixedNo,
        help: "Name the reference plugin portmap there too, for hostPort; it must be among the runtime's plugins.")
    var cniPortmap: Bool?
    @Option(help: "The VXLAN device's name. (default: tartan.VNI)")
    var device: String?
    @Option(help: "netlink, or none to leave the host alone and only lease. (default: netlink)")
    var dataplane: String?
    @Flag(inversion: .prefixedNo, help: "Masquerade pod traffic that leaves the cluster network.")
    var ipMasq: Bool?
    @Option(help: "How often the kernel is checked against the leases. (default: 5m)")
    var resync: String?
    @Option(help: "When the subnet belongs to another: move, or stop with exit code 75. (default: move)")
    var onLeaseLost: String?
    @Option(help: "keep lease and entries, withdraw the entries, or release both. (default: keep)")
    var onShutdown: String?

    @Option(
        parsing: .singleValue,
        help: """
            Where the REST endpoint listens: ADDRESS:PORT, unix:PATH or none; repeatable, or with commas between. \
            (default: 127.0.0.1:9470)
            """)
    var apiListen: [String] = []
    @Option(parsing: .singleValue, help: "The same, where nothing can be changed; beside --api-listen.")
    var apiListenReadonly: [String] = []
    @Option(help: "The endpoint's certificate, PEM, for every TCP address; read again when it changes.")
    var apiTlsCertfile: String?
    @Option(help: "The key of that certificate, PEM; read again when it changes.")
    var apiTlsKeyfile: String?
    @Option(help: "The authority that signed the clients' certificates, PEM; read again when it changes.")
    var apiClientCafile: String?
    @Option(help: "A file with the tokens that clients may show, one a line; read again when it changes.")
    var apiTokenFile: String?
    @Flag(
        inversion: .prefixedNo,
        help: "Listen where others can connect although there is no TLS or nobody need prove who they are.")
    var apiInsecure: Bool?

    @Option(help: "trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?
    @Option(help: "text, or json for machines. (default: text)")
    var logFormat: String?

    /// What was given, by option; `nil` where nothing was.
    var given: [OptionName: [String]] {
        func one(_ value: String?) -> [String]? { value.map { [$0] } }
        func flag(_ value: Bool?) -> [String]? { value.map { [String($0)] } }
        func many(_ values: [String]) -> [String]? { values.isEmpty ? nil : values }
        let all: [OptionName: [String]?] = [
            .etcdEndpoints: one(etcdEndpoints), .etcdPrefix: one(etcdPrefix), .etcdCAFile: one(etcdCafile),
            .etcdCertFile: one(etcdCertfile), .etcdKeyFile: one(etcdKeyfile), .etcdUsername: one(etcdUsername),
            .etcdPasswordFile: one(etcdPasswordFile), .nodeName: one(nodeName), .iface: many(iface),
            .ifaceRegex: many(ifaceRegex), .ifaceCanReach: one(ifaceCanReach), .publicIP: one(publicIp),
            .publicIPv6: one(publicIpv6), .leaseTTL: one(leaseTtl), .subnetFile: one(subnetFile),
            .stateDirectory: one(stateDir), .cniConflist: one(cniConflist), .cniPortmap: flag(cniPortmap),
            .device: one(device), .dataplane: one(dataplane), .ipMasq: flag(ipMasq),
            .resync: one(resync), .onLeaseLost: one(onLeaseLost), .onShutdown: one(onShutdown),
            .apiListen: many(apiListen),
            .apiListenReadOnly: many(apiListenReadonly), .apiTLSCertFile: one(apiTlsCertfile),
            .apiTLSKeyFile: one(apiTlsKeyfile),
            .apiClientCAFile: one(apiClientCafile), .apiTokenFile: one(apiTokenFile),
            .apiInsecure: flag(apiInsecure), .logLevel: one(logLevel), .logFormat: one(logFormat),
        ]
        return all.compactMapValues(\.self)
    }
}
