// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// What `GET /` is put together from.
let mapFiles =
    ["map.html", "map.css"]
    + [
        "addresses", "leases", "events", "painter", "weave", "history", "page", "words", "details", "grid", "search",
        "legend", "layout", "live",
    ].map { "\($0).js" }

let package = Package(
    name: "tartan",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "tartand", targets: ["tartand"]),
        .executable(name: "tartan", targets: ["tartan"]),
        .executable(name: "tartan-cni", targets: ["tartan-cni"]),
    ],
    dependencies: [
        // The REST endpoint: routing, HTTP/1.1, TLS. Without traits it needs FoundationEssentials only.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        // TLS of the REST endpoint. Not HummingbirdTLS, which is a thin layer over it and keeps for ever the certificate
        // that it started with.
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // gzip of what the REST endpoint answers.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        // The digests of lease tokens: SHA-256 and HMAC.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        // Options, --help, --version and exit codes of the two programs.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // One option from four places: command line over environment over YAML file over default.
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        // A misspelt key of the YAML file is named (swift-configuration passes it over); openapi.yaml in the tests.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // Files and descriptors without unsafe pointers: the subnet file, the node's memory, the log.
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // One log for every part of the daemon, levels and metadata included.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        // Counters and timers that do not know who reads them.
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        // Start and stop of the daemon's parts in the order of their dependencies, signals included.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Merging and timing of the event streams in the agent.
        .package(url: "https://github.com/apple/swift-async-algorithms", from: "1.1.4"),
        // Starting the lab's etcd and daemons and collecting what they say.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // Domain: pure values and decisions, no I/O.
        .target(name: "IPAddressing", path: "Sources/Domain/IPAddressing"),
        .target(name: "Leases", dependencies: ["IPAddressing"], path: "Sources/Domain/Leases"),
        .target(name: "Dataplane", dependencies: ["IPAddressing", "Leases"], path: "Sources/Domain/Dataplane"),

        // Wire: one foreign protocol each, no lease in sight.
        .target(name: "CCurl", path: "Sources/Wire/CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CLinux", path: "Sources/Wire/CLinux"),
        .target(name: "CHost", path: "Sources/Wire/CHost"),
        .target(name: "CNFTables", path: "Sources/Wire/CNFTables", linkerSettings: [.linkedLibrary("nftables")]),
        .target(name: "CurlHTTP", dependencies: ["CCurl"], path: "Sources/Wire/CurlHTTP"),
        .target(
            name: "Etcd", dependencies: ["CurlHTTP", "JSONText", .product(name: "Logging", package: "swift-log")],
            path: "Sources/Wire/Etcd"),
        // Apart from Etcd because tartan-cni needs it without curl.
        .target(name: "JSONText", path: "Sources/Wire/JSONText"),
        .target(name: "Netlink", dependencies: ["CLinux", "IPAddressing"], path: "Sources/Wire/Netlink"),
        // What pods send out of the cluster gets the node's address there: one table, by libnftables.
        .target(name: "NFTables", dependencies: ["CNFTables"], path: "Sources/Wire/NFTables"),

        // Adapters: where a foreign thing becomes a domain value.
        .target(
            name: "EtcdStore", dependencies: ["Etcd", "JSONText", "Leases", "IPAddressing"],
            path: "Sources/Adapters/EtcdStore"),
        .target(
            name: "LinuxDataplane", dependencies: ["Netlink", "NFTables", "Dataplane", "IPAddressing"],
            path: "Sources/Adapters/LinuxDataplane"),

        // Node: the loops, the REST endpoint, the lab.
        .target(
            name: "NodeAgent",
            dependencies: [
                "Leases", "Dataplane", "IPAddressing",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            path: "Sources/Node/NodeAgent"),
        .target(name: "APISchema", path: "Sources/Node/APISchema"),
        .target(
            name: "NodeAPI",
            dependencies: [
                "APISchema", "NodeAgent", "Dataplane", "Leases", "IPAddressing",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            // A link to the one at the top: the endpoint serves its own contract. And the map, which is one document.
            path: "Sources/Node/NodeAPI",
            resources: ["openapi.yaml"].map { .embedInCode($0) } + mapFiles.map { .embedInCode("Map/\($0)") }),
        .target(name: "NodeClient", dependencies: ["APISchema", "CurlHTTP"], path: "Sources/Node/NodeClient"),
        .target(
            name: "Lab",
            dependencies: [
                "Netlink", "NodeClient", "APISchema", "IPAddressing",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Sources/Node/Lab"),

        // Programs: wiring only.
        .executableTarget(
            name: "tartand",
            dependencies: [
                "NodeAPI", "NodeAgent", "EtcdStore", "Etcd", "CurlHTTP", "LinuxDataplane", "Netlink", "Dataplane",
                "Leases", "IPAddressing", "CHost",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Yams", package: "Yams"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Programs/tartand",
            // Two megabytes of relocation records, read at every start, become twenty kilobytes (glibc 2.36).
            linkerSettings: [.unsafeFlags(["-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"])]),
        .executableTarget(
            name: "tartan",
            dependencies: [
                "NodeClient", "APISchema", "Lab", "EtcdStore", "Etcd", "JSONText", "CurlHTTP", "Leases",
                "IPAddressing", "Dataplane", "LinuxDataplane",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Programs/tartan"),
        .executableTarget(
            name: "tartan-cni", dependencies: ["Netlink", "JSONText", "Leases", "IPAddressing"],
            path: "Sources/Programs/tartan-cni",
            // Copied to hosts without Swift and started for every pod: nothing to find, nothing to relocate. Tests are
            // linked with the settings of what they test, and there is no static Testing.
            linkerSettings: [
                .unsafeFlags(["-static-executable", "-use-ld=lld"], .when(configuration: .release))
            ]),

        // Measured, not shipped.
        // An etcd with many leases and a tartand beside it, for those that measure a whole node.
        .target(
            name: "BenchmarkKit",
            dependencies: [
                "Lab", "Etcd", "EtcdStore", "Netlink", "Leases", "IPAddressing",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Benchmarks/BenchmarkKit"),
        .executableTarget(
            name: "PeersBenchmark",
            dependencies: [
                "BenchmarkKit", "Lab", "Netlink", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Benchmarks/PeersBenchmark"),
        .executableTarget(
            name: "APIBenchmark",
            dependencies: [
                "Lab", "Etcd", "EtcdStore", "Leases", "IPAddressing",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Benchmarks/APIBenchmark"),
        .executableTarget(
            name: "LeaseSearch",
            dependencies: ["LeaseModel", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            path: "Sources/Benchmarks/LeaseSearch"),

        .executableTarget(
            name: "CNIBenchmark", dependencies: ["CNITestKit", "Netlink", "JSONText"],
            path: "Sources/Benchmarks/CNIBenchmark"),

        .target(name: "CRawSender", path: "Sources/Benchmarks/CRawSender"),
        .executableTarget(
            name: "KernelBenchmark",
            dependencies: [
                "BenchmarkKit", "Etcd", "CRawSender", "LinuxDataplane", "Netlink", "Dataplane", "Leases",
                "IPAddressing", "Lab",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/Benchmarks/KernelBenchmark"),

        // Fakes, generators and conformance suites for the tests below.
        .target(
            name: "TestKit", dependencies: ["Leases", "Dataplane", "IPAddressing"], path: "Sources/Support/TestKit"),

        // A reconciler at work, for tests over the fake kernel and over the real one.
        .target(
            name: "AgentTestKit",
            dependencies: [
                "NodeAgent", "TestKit", "Leases", "Dataplane", "IPAddressing",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Support/AgentTestKit"),

        // A container runtime and its pods, for the tests of the CNI plugin and its benchmark.
        .target(
            name: "CNITestKit", dependencies: ["Netlink", "JSONText", "IPAddressing"],
            path: "Sources/Support/CNITestKit"),
        // A simulated cluster, for the tests and for LeaseSearch, which is built without Testing.
        .target(name: "LeaseModel", dependencies: ["Leases", "IPAddressing"], path: "Sources/Support/LeaseModel"),

        // Need nothing.
        .testTarget(name: "IPAddressingTests", dependencies: ["IPAddressing"]),
        .testTarget(name: "LeasesTests", dependencies: ["Leases", "LeaseModel", "TestKit"]),
        .testTarget(name: "DataplaneTests", dependencies: ["Dataplane", "TestKit"]),
        .testTarget(name: "CurlHTTPTests", dependencies: ["CurlHTTP", "Lab"]),
        .testTarget(name: "EtcdTests", dependencies: ["Etcd", "JSONText"]),
        .testTarget(name: "EtcdStoreTests", dependencies: ["EtcdStore"]),
        .testTarget(name: "NetlinkTests", dependencies: ["Netlink"]),
        .testTarget(name: "NFTablesTests", dependencies: ["NFTables"]),
        .testTarget(name: "LinuxDataplaneTests", dependencies: ["LinuxDataplane", "Dataplane"]),
        .testTarget(
            name: "NodeAgentTests",
            dependencies: [
                "NodeAgent", "TestKit", "AgentTestKit", .product(name: "Metrics", package: "swift-metrics"),
            ]),
        .testTarget(
            name: "NodeAPITests",
            dependencies: [
                "NodeAPI", "APISchema", "NodeAgent", "CurlHTTP", "TestKit",
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ]),
        .testTarget(
            name: "TartandTests",
            dependencies: ["tartand", "CurlHTTP", .product(name: "Subprocess", package: "swift-subprocess")]),
        .testTarget(name: "NodeClientTests", dependencies: ["NodeClient", "APISchema"]),
        .testTarget(
            name: "TartanTests",
            dependencies: [
                "tartan", "Lab", "NodeClient", "APISchema", "Etcd", "JSONText", "Leases", "IPAddressing", "CurlHTTP",
            ]),
        .testTarget(
            name: "HouseTests",
            dependencies: ["NodeAPI", "APISchema", "NodeAgent", "TestKit", .product(name: "Yams", package: "Yams")]),
        // Every parser of what others write, over Tests/FuzzCorpus and what comes of changing it.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Netlink", "NFTables", "JSONText", "Etcd", "EtcdStore", "Leases", "IPAddressing", "NodeAPI",
                "NodeClient",
                "tartan", "tartand", "tartan-cni",
            ], exclude: ["LibFuzzer.swift"]),
        // Start their own etcd.
        .testTarget(
            name: "EtcdIntegrationTests",
            dependencies: ["EtcdStore", "Etcd", "CurlHTTP", "NodeAgent", "TestKit", "Lab"]),
        // Need CAP_NET_ADMIN; a namespace each.
        .testTarget(
            name: "KernelTests",
            dependencies: [
                "LinuxDataplane", "NodeAgent", "Netlink", "NFTables", "Dataplane", "TestKit", "AgentTestKit",
                "EtcdStore",
            ]),
        .testTarget(
            name: "CNITests",
            dependencies: ["tartan-cni", "CNITestKit", "Netlink", "JSONText", "Leases", "IPAddressing"]),
        // Need chromium.
        .testTarget(
            name: "BrowserTests", dependencies: ["tartand", "Lab"],
            exclude: ["map_tests.py", "chromium.py", "cluster.py", "standin.py", "measure.py", "screenshots.py"]),
        // Need both.
        .testTarget(
            name: "LabTests",
            dependencies: [
                "Lab", "NodeClient", "APISchema", "CurlHTTP", "Netlink", "IPAddressing", "Etcd", "EtcdStore", "Leases",
                "tartan", "tartand", "tartan-cni", .product(name: "Logging", package: "swift-log"),
            ]),
    ]
)

// The same parsers under libFuzzer, which learns from the code's own branches: Tests/FuzzTests/LibFuzzer.swift says how.
if Context.environment["TARTAN_LIBFUZZER"] != nil {
    package.targets.removeAll { $0.name == "FuzzTests" }
    package.targets.append(
        .executableTarget(
            name: "ParserFuzzer",
            dependencies: [
                "Netlink", "NFTables", "JSONText", "Etcd", "EtcdStore", "Leases", "IPAddressing", "NodeClient",
            ],
            path: "Tests/FuzzTests",
            sources: ["LibFuzzer.swift", "FuzzedParser.swift", "Parsers+Wire.swift", "Parsers+Etcd.swift"],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]))
}

// House rules of the language, the same for every Swift target.
for target in package.targets where !["CCurl", "CLinux", "CNFTables", "CHost", "CRawSender"].contains(target.name) {
    var settings: [SwiftSetting] = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),  // SE-0335
        .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
        .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
        .enableUpcomingFeature("InferIsolatedConformances"),  // SE-0470
        .treatAllWarnings(as: .error),  // SE-0443
    ]
    if target.type != .test, target.name != "ParserFuzzer" {
        settings.append(.strictMemorySafety())  // SE-0458
    }
    if target.name == "Netlink" {
        settings.append(.enableExperimentalFeature("Lifetimes"))  // ~Escapable readers over a receive buffer
    }
    target.swiftSettings = settings
}
