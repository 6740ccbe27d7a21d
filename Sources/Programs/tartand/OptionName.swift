// SPDX-License-Identifier: Apache-2.0

/// An option, by its long name without the dashes, which is also its key in the YAML file.
enum OptionName: String, CaseIterable, Hashable, Sendable {
    case etcdEndpoints = "etcd-endpoints"
    case etcdPrefix = "etcd-prefix"
    case etcdCAFile = "etcd-cafile"
    case etcdCertFile = "etcd-certfile"
    case etcdKeyFile = "etcd-keyfile"
    case etcdUsername = "etcd-username"
    case etcdPasswordFile = "etcd-password-file"
    case nodeName = "node-name"
    case iface
    case ifaceRegex = "iface-regex"
    case ifaceCanReach = "iface-can-reach"
    case publicIP = "public-ip"
    case publicIPv6 = "public-ipv6"
    case leaseTTL = "lease-ttl"
    case subnetFile = "subnet-file"
    case stateDirectory = "state-dir"
    case cniConflist = "cni-conflist"
    case cniPortmap = "cni-portmap"
    case device
    case dataplane
    case ipMasq = "ip-masq"
    case resync
    case onLeaseLost = "on-lease-lost"
    case onShutdown = "on-shutdown"
    case apiListen = "api-listen"
    case apiListenReadOnly = "api-listen-readonly"
    case apiTLSCertFile = "api-tls-certfile"
    case apiTLSKeyFile = "api-tls-keyfile"
    case apiClientCAFile = "api-client-cafile"
    case apiTokenFile = "api-token-file"
    case apiInsecure = "api-insecure"
    case logLevel = "log-level"
    case logFormat = "log-format"

    var environmentName: String { "TARTAN_" + rawValue.uppercased().split(separator: "-").joined(separator: "_") }

    /// Whether it may be given several times; in the environment with commas between.
    var isRepeatable: Bool { [.iface, .ifaceRegex, .apiListen, .apiListenReadOnly].contains(self) }
    var isFlag: Bool { [.ipMasq, .apiInsecure, .cniPortmap].contains(self) }
}
