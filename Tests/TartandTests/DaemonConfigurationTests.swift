// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Dataplane
import Etcd
import EtcdStore
import IPAddressing
import Leases
import Logging
import NodeAPI
import Testing

@testable import tartand

@Suite struct DaemonConfigurationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(
        _ arguments: [String] = [], environment: [String: String] = [:], yaml: String? = nil
    ) async throws -> DaemonConfiguration {
        let options = try DaemonOptions.parse(arguments)
        let file = try yaml.map { try folder.file("tartan.yaml", $0) }
        let reader = try await OptionReader(
            given: options.given, environment: environment, configFile: file ?? options.config)
        return try DaemonConfiguration(reader, hostName: "host7")
    }

    private func fault(
        _ arguments: [String] = [], environment: [String: String] = [:], yaml: String? = nil
    ) async throws -> ConfigurationFault {
        try #require(
            await #expect(throws: ConfigurationFault.self) {
                try await read(arguments, environment: environment, yaml: yaml)
            })
    }

    @Test func `an authority leases nothing for itself, and only where no pods need to know a subnet`() async throws {
        let authority = try await read(["--dataplane", "none", "--subnet-file", "none"])
        #expect(!authority.leasesForItself)
        let node = try await read(["--dataplane", "none"])
        #expect(node.leasesForItself)
        let fault = try await fault(["--subnet-file", "none"])
        #expect("\(fault)".contains("--dataplane none"))
    }

    @Test(arguments: [
        ["--api-listen", "none"], ["--api-listen", "none", "--api-listen-readonly", "127.0.0.1:9470"],
    ])
    func `an authority that nobody could ask for a lease does not start`(endpoint: [String]) async throws {
        let fault = try await fault(["--dataplane", "none", "--subnet-file", "none"] + endpoint)
        #expect("\(fault)".contains("--api-listen") && fault.exitStatus == .configuration)
        _ = try await read(["--dataplane", "none"] + endpoint)
    }

    @Test func `without options the contract's defaults hold`() async throws {
        let configuration = try await read()
        #expect(configuration.etcd.endpoints == ["http://127.0.0.1:2379"])
        #expect(configuration.keys.prefix == "/coreos.com/network")
        #expect(configuration.node == NodeID("host7"))
        #expect(configuration.leaseTTL == .seconds(86_400))
        #expect(configuration.resync == .seconds(300))
        #expect(configuration.subnetFile == "/run/flannel/subnet.env")
        #expect(configuration.stateDirectory == "/var/lib/tartan")
        #expect(configuration.device == nil)
        #expect(configuration.dataplane == .netlink)
        #expect(configuration.masquerade == false)
        #expect(configuration.whenLost == .move)
        #expect(configuration.whenStopped == .keep)
        #expect("\(configuration.listeners)" == "[127.0.0.1:9470]")
        #expect(configuration.access == AccessFiles())
        #expect(configuration.logLevel == .info)
        #expect(configuration.logFormat == .text)
    }

    @Test func `every option is read from the command line, the environment and the file alike`() async throws {
        for option in OptionName.allCases where !Self.samples.keys.contains(option) {
            Issue.record("there is no sample of --\(option.rawValue)")
        }
        for (option, text) in Self.samples {
            let inYAML = option.isFlag ? "\(option.rawValue): \(text)" : "\(option.rawValue): '\(text)'"
            let arguments = option.isFlag ? ["--\(option.rawValue)"] : ["--\(option.rawValue)", text]
            let plain = "\(try await read())"
            let given = "\(try await read(arguments + Self.partners(of: option)))"
            if option != .apiInsecure { #expect(given != plain, "--\(option.rawValue) changes nothing") }
            let environment = [option.environmentName: text]
            #expect("\(try await read(Self.partners(of: option), environment: environment))" == given, "\(option)")
            #expect("\(try await read(Self.partners(of: option), yaml: inYAML))" == given, "\(option)")
        }
    }

    private static let samples: [OptionName: String] = [
        .etcdEndpoints: "http://10.0.0.1:2379,http://10.0.0.2:2379", .etcdPrefix: "/tartan", .etcdCAFile: "/ca",
        .etcdCertFile: "/cert", .etcdKeyFile: "/key", .etcdUsername: "tartan", .etcdPasswordFile: "/password",
        .nodeName: "n1", .iface: "eth1", .ifaceRegex: "^en", .ifaceCanReach: "10.0.0.9", .publicIP: "192.0.2.7",
        .publicIPv6: "2001:db8::7", .leaseTTL: "90s", .subnetFile: "/tmp/subnet.env", .stateDirectory: "/tmp/state",
        .cniConflist: "/tmp/net.d/10-tartan.conflist", .cniPortmap: "true",
        .device: "vx7", .dataplane: "none", .ipMasq: "true", .resync: "10s", .onLeaseLost: "stop",
        .onShutdown: "release", .apiListen: "127.0.0.1:9999", .apiListenReadOnly: "127.0.0.1:9999",
        .apiTLSCertFile: "/cert3",
        .apiTLSKeyFile: "/key3", .apiClientCAFile: "/ca3", .apiTokenFile: "/tokens", .apiInsecure: "true",
        .logLevel: "debug",
        .logFormat: "json",
    ]

    /// What an option needs beside it.
    private static func partners(of option: OptionName) -> [String] {
        switch option {
        case .etcdCertFile: ["--etcd-keyfile", "/key2"]
        case .etcdKeyFile: ["--etcd-certfile", "/cert2"]
        case .etcdUsername: ["--etcd-password-file", "/password2"]
        case .etcdPasswordFile: ["--etcd-username", "user2"]
        case .apiTLSCertFile: ["--api-tls-keyfile", "/key4"]
        case .apiTLSKeyFile: ["--api-tls-certfile", "/cert4"]
        case .apiClientCAFile: ["--api-tls-certfile", "/cert4", "--api-tls-keyfile", "/key4"]
        case .cniPortmap: ["--cni-conflist", "/tmp/20-tartan.conflist"]
        default: []
        }
    }

    @Test func `the command line wins over the environment, the environment over the file`() async throws {
        let environment = ["TARTAN_NODE_NAME": "from-environment", "TARTAN_LEASE_TTL": "2m"]
        let yaml = "node-name: from-file\nlease-ttl: 3m\nresync: 4m\n"
        let configuration = try await read(["--node-name", "from-line"], environment: environment, yaml: yaml)
        #expect(configuration.node == NodeID("from-line"))
        #expect(configuration.leaseTTL == .seconds(120))
        #expect(configuration.resync == .seconds(240))
    }

    @Test func `a repeatable option is a list in the file and split by commas in the environment`() async throws {
        let lists = [
            try await read(["--iface", "eth0", "--iface", "eth1"]),
            try await read(environment: ["TARTAN_IFACE": "eth0,eth1"]),
            try await read(yaml: "iface: [eth0, eth1]\n"),
        ]
        for configuration in lists { #expect(configuration.underlay.interfaces == ["eth0", "eth1"]) }
    }

    @Test(arguments: [
        (["--lease-ttl", "soon"], "--lease-ttl 'soon' is not a duration"),
        (["--lease-ttl", "1s"], "--lease-ttl '1s' is not within 2s"),
        (["--public-ip", "10.0.0"], "--public-ip '10.0.0' is not an IPv4 address"),
        (["--public-ip", "fd00::1"], "--public-ip 'fd00::1' is not an IPv4 address"),
        (["--public-ipv6", "10.0.0.1"], "--public-ipv6 '10.0.0.1' is not an IPv6 address"),
        (["--dataplane", "ebpf"], "--dataplane 'ebpf' is none of netlink, none"),
        (["--on-shutdown", "run"], "--on-shutdown 'run' is none of keep, release, withdraw"),
        (["--on-lease-lost", "cry"], "--on-lease-lost 'cry' is none of move, stop"),
        (["--log-level", "loud"], "--log-level 'loud' is none of"),
        (["--etcd-endpoints", "ftp://x"], "--etcd-endpoints 'ftp://x' must start with http"),
        (["--etcd-endpoints", ""], "--etcd-endpoints names no endpoint"),
        (["--etcd-endpoints", "http://h:99999"], "--etcd-endpoints 'http://h:99999' has a port"),
        (["--etcd-prefix", "network"], "--etcd-prefix 'network' must start with a slash"),
        (["--etcd-username", "u"], "--etcd-username needs --etcd-password-file"),
        (["--etcd-certfile", "/c"], "--etcd-certfile needs --etcd-keyfile"),
        (["--device", "a name too long for it"], "--device 'a name too long for it' must be 1 to 15"),
        (["--device", "abcdefghijkl-v6"], "--device 'abcdefghijkl-v6' would be the name of the IPv6 device as well"),
        (["--device", "abcdefghi-v6.10"], "--device 'abcdefghi-v6.10' would be the name of the IPv6 device as well"),
        (["--node-name", "two words"], "--node-name 'two words' must be 1 to 253"),
        (["--node-name", ""], "--node-name '' must be 1 to 253"),
        (["--subnet-file", ""], "--subnet-file must not be empty"),
        (["--api-listen", "localhost"], "--api-listen 'localhost' must be ADDRESS:PORT"),
        (["--api-listen", "127.0.0.1:1,"], "--api-listen '' must be ADDRESS:PORT"),
        (["--api-listen", "none,127.0.0.1:1"], "--api-listen 'none' can't be one address among others"),
        (
            ["--api-listen", "127.0.0.1:1", "--api-listen-readonly", "127.0.0.1:1"],
            "--api-listen-readonly 127.0.0.1:1 is"
        ),
        (["--api-tls-certfile", "/c"], "--api-tls-certfile needs --api-tls-keyfile"),
        (["--api-tls-keyfile", "/c"], "--api-tls-keyfile needs --api-tls-certfile"),
        (["--api-client-cafile", "/c"], "--api-client-cafile needs --api-tls-certfile"),
        (["--api-token-file", ""], "--api-token-file must not be empty"),
        (["--cni-conflist", "/etc/cni/net.d/"], "--cni-conflist '/etc/cni/net.d/' must be a file's name ending in"),
        (["--cni-conflist", "/x/.conflist"], "--cni-conflist '/x/.conflist' must be a file's name ending in"),
        (["--cni-portmap"], "--cni-portmap needs --cni-conflist"),
    ])
    func `a bad option names itself and is wrong usage`(arguments: [String], sentence: String) async throws {
        let fault = try await fault(arguments)
        #expect("\(fault)".contains(sentence), "\(fault)")
        #expect(fault.exitStatus == .usage)
    }

    @Test(arguments: ["--api-listen", "--api-listen-readonly"])
    func `what others can reach is open only with TLS and a way to prove oneself, or on demand`(
        option: String
    ) async throws {
        let open = [option, "127.0.0.1:9999,[::]:9471"]
        let tls = ["--api-tls-certfile", "/c", "--api-tls-keyfile", "/k"]
        let refused: [([String], String)] = [
            ([], "there is no TLS and nobody need prove who they are; give --api-tls-certfile"),
            (tls, "nobody need prove who they are; give --api-token-file or --api-client-cafile"),
            (["--api-token-file", "/t"], "tokens too, can be listened in on; give --api-tls-certfile"),
        ]
        for (arguments, sentence) in refused {
            let fault = try await fault(open + arguments)
            #expect("\(fault)".hasPrefix("\(option) [::]:9471 can be reached from other hosts"), "\(fault)")
            #expect("\(fault)".contains(sentence), "\(fault)")
            #expect("\(fault)".contains("--api-insecure"), "\(fault)")
            #expect(fault.exitStatus == .configuration)
        }
        for arguments in [tls + ["--api-token-file", "/t"], tls + ["--api-client-cafile", "/a"], ["--api-insecure"]] {
            let listeners = try await read(open + arguments).listeners
            #expect(listeners.contains { "\($0)".hasPrefix("[::]:9471") }, "\(arguments)")
        }
    }

    @Test func `listeners are a list, in any of its forms, and each is read-only or not`() async throws {
        let wanted = "[127.0.0.1:1, unix:/x, [::1]:2 (read only)]"
        let readOnly = ["--api-listen-readonly", "[::1]:2"]
        #expect("\(try await read(["--api-listen", "127.0.0.1:1, unix:/x"] + readOnly).listeners)" == wanted)
        let repeated = ["--api-listen", "127.0.0.1:1", "--api-listen", "unix:/x"] + readOnly
        #expect("\(try await read(repeated).listeners)" == wanted)
        let environment = ["TARTAN_API_LISTEN": "127.0.0.1:1,unix:/x", "TARTAN_API_LISTEN_READONLY": "[::1]:2"]
        #expect("\(try await read(environment: environment).listeners)" == wanted)
        let yaml = "api-listen: ['127.0.0.1:1', 'unix:/x']\napi-listen-readonly: '[::1]:2'\n"
        #expect("\(try await read(yaml: yaml).listeners)" == wanted)
        #expect("\(try await read(["--api-listen", "none"] + readOnly).listeners)" == "[[::1]:2 (read only)]")
        #expect(try await read(["--api-listen", "none"]).listeners.isEmpty)
    }

    @Test func `the same fault in the environment or the file names it as it is spelled there`() async throws {
        let inEnvironment = try await fault(environment: ["TARTAN_LEASE_TTL": "soon"])
        #expect("\(inEnvironment)".hasPrefix("TARTAN_LEASE_TTL 'soon'"))
        #expect(inEnvironment.exitStatus == .configuration)
        let inFile = try await fault(yaml: "lease-ttl: soon\n")
        #expect("\(inFile)".hasPrefix("'lease-ttl' in \(folder.path)/tartan.yaml 'soon'"))
        #expect(inFile.exitStatus == .configuration)
    }

    @Test(arguments: [
        ("lease-tll: 90s\n", "'lease-tll' in"), ("- iface\n", "is not a list of options"),
        ("device: {name: x}\n", "must not have keys"), ("a: [b\n", "is not YAML"), ("node-name: [a, b]\n", "one value"),
    ])
    func `a file that is not a list of options is refused`(yaml: String, sentence: String) async throws {
        let fault = try await fault(yaml: yaml)
        #expect("\(fault)".contains(sentence), "\(fault)")
        #expect(fault.exitStatus == .configuration)
    }

    @Test func `a config file that does not exist is named`() async throws {
        let fault = try await fault(["--config", "/nowhere/tartan.yaml"])
        #expect("\(fault)" == "the file /nowhere/tartan.yaml that --config names does not exist")
        #expect(fault.exitStatus == .configuration)
    }

    @Test func `an empty file changes nothing`() async throws {
        #expect("\(try await read(yaml: ""))" == "\(try await read())")
        #expect("\(try await read(yaml: "# nothing\n"))" == "\(try await read())")
    }
}
