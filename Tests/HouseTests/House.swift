// SPDX-License-Identifier: Apache-2.0

/// The house's table: which target may import what, and why not the rest.
enum House {
    /// Beside the standard library, which everybody has. The domain has only what its row says.
    static let standard: Set<String> = ["Swift", "Glibc", "Synchronization", "Dispatch"]

    static let domain: Set<String> = ["IPAddressing", "Leases", "Dataplane"]
    static let wire: Set<String> = [
        "CCurl", "CLinux", "CNFTables", "CHost", "CurlHTTP", "Etcd", "JSONText", "Netlink", "NFTables",
    ]
    static let adapters: Set<String> = ["EtcdStore", "LinuxDataplane"]
    static let node: Set<String> = ["NodeAgent", "NodeAPI", "NodeClient", "APISchema", "Lab"]
    static let programs: Set<String> = ["tartand", "tartan", "tartan-cni", "tartan_cni"]

    /// The one target that may open a door to something foreign.
    static let doors = [
        "CCurl": "CurlHTTP", "CLinux": "Netlink", "CNFTables": "NFTables", "CHost": "tartand",
        "CRawSender": "KernelBenchmark",
        "Hummingbird": "NodeAPI", "NIOSSL": "NodeAPI", "Crypto": "NodeAPI",
        "Configuration": "tartand",
    ]

    static let rows: [String: Set<String>] = [
        "IPAddressing": [],
        "Leases": ["IPAddressing"],
        "Dataplane": ["IPAddressing", "Leases"],
        "CurlHTTP": ["CCurl"],
        "JSONText": [],
        "Etcd": ["CurlHTTP", "JSONText", "FoundationEssentials", "Logging"],
        "Netlink": ["CLinux", "IPAddressing"],
        "NFTables": ["CNFTables"],
        "EtcdStore": ["Etcd", "JSONText", "Leases", "IPAddressing", "FoundationEssentials"],
        "LinuxDataplane": ["Netlink", "NFTables", "Dataplane", "IPAddressing"],
        "NodeAgent": [
            "Leases", "Dataplane", "IPAddressing", "ServiceLifecycle", "AsyncAlgorithms", "Logging", "Metrics",
        ],
        "APISchema": ["FoundationEssentials"],
        "NodeAPI": [
            "APISchema", "NodeAgent", "Dataplane", "Leases", "IPAddressing", "Hummingbird", "Logging",
            "ServiceLifecycle", "HTTPTypes", "NIOCore", "NIOHTTPTypes", "NIOHTTP1", "NIOHTTPTypesHTTP1",
            "NIOHTTPCompression", "HummingbirdCore", "NIOSSL", "Crypto", "FoundationEssentials",
        ],
        "NodeClient": ["APISchema", "CurlHTTP", "FoundationEssentials"],
        "Lab": ["Netlink", "NodeClient", "APISchema", "IPAddressing", "Subprocess", "FoundationEssentials"],
        "tartand": domain.union(adapters).union([
            "CurlHTTP", "Etcd", "Netlink", "NFTables", "CHost", "SystemPackage", "Yams",
        ])
        .union(["NodeAgent", "NodeAPI", "NodeClient", "APISchema"])
        .union([
            "Configuration", "ArgumentParser", "Logging", "ServiceLifecycle", "UnixSignals", "FoundationEssentials",
        ]),
        "tartan": [
            "NodeClient", "APISchema", "Lab", "EtcdStore", "Etcd", "JSONText", "CurlHTTP", "Leases", "IPAddressing",
            // `check --plan`: what would change on a host where no daemon runs.
            "Dataplane", "LinuxDataplane", "ArgumentParser", "Logging", "ServiceLifecycle", "FoundationEssentials",
        ],
        "tartan-cni": ["Netlink", "JSONText", "Leases", "IPAddressing"],
        "LeaseModel": ["Leases", "IPAddressing"],
        "TestKit": ["Leases", "Dataplane", "IPAddressing", "Testing"],
        "CNITestKit": ["Netlink", "JSONText", "IPAddressing"],
        "AgentTestKit": [
            "NodeAgent", "TestKit", "Leases", "Dataplane", "IPAddressing", "Testing", "Logging", "ServiceLifecycle",
        ],
    ]

    /// Measured, not shipped: free, but for the programs.
    static let free: Set<String> = [
        "APIBenchmark", "BenchmarkKit", "CNIBenchmark", "KernelBenchmark", "LeaseSearch", "PeersBenchmark",
    ]

    /// Why a target must not import a module; `nil` where it may.
    static func objection(to module: String, in target: String) -> String? {
        if programs.contains(module) { return "nobody imports a program: wiring is done once, at the top" }
        if free.contains(target) { return nil }
        guard let row = rows[target] else { return "the house's table has no row for \(target)" }
        if row.contains(module) { return nil }
        if domain.contains(target) {
            return module == "Swift" ? nil : reasonInDomain(module)
        }
        if standard.contains(module) { return nil }
        if ["TestKit", "AgentTestKit", "LeaseModel"].contains(module) {
            return "what ships does not carry the fakes of its tests"
        }
        if let owner = doors[module] { return "one door to one foreign thing: \(module) only from \(owner)" }
        return reasonAbove(module, in: target)
    }

    private static func reasonInDomain(_ module: String) -> String {
        domain.contains(module)
            ? "the domain's arrows run Dataplane -> Leases -> IPAddressing"
            : "the domain is pure: no I/O, clock, lock, log or Foundation, so that every decision is tested by values"
    }

    private static func reasonAbove(_ module: String, in target: String) -> String {
        if wire.contains(target) {
            if ["Leases", "Dataplane"].contains(module) { return "the wire does not know a lease" }
            if wire.contains(module) { return "two wires never meet: an adapter joins them, above" }
        }
        if adapters.contains(target) {
            if adapters.contains(module) { return "an adapter does not see another adapter" }
            if node.contains(module) { return "an adapter sees nothing above it" }
        }
        if target == "NodeAgent", wire.contains(module) || adapters.contains(module) {
            return "the agent sees only the two ports, LeaseStore and DataplaneDriver"
        }
        if target == "NodeAPI", wire.contains(module) || adapters.contains(module) {
            return "a GET reaches neither etcd nor the kernel: it reads the published NodeStatus"
        }
        if target == "tartan-cni" { return "started for every pod, up in milliseconds: no NIO, curl or Foundation" }
        return "the house's table does not list it"
    }
}
