// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// What the run of faults is told from outside.
enum FaultSettings {
    private static let environment = ProcessInfo.processInfo.environment

    static let seconds = environment["TARTAN_FAULT_SECONDS"].flatMap { Int($0) } ?? 180
    /// The same in every run of CI; another finds other schedules.
    static let seed = environment["TARTAN_FAULT_SEED"].flatMap { UInt64($0) } ?? 4
    /// A folder that the daemons' logs are left in.
    static let logs = environment["TARTAN_FAULT_LOGS"]
    /// Of leases, in seconds.
    static let ttl = 10

    static let hasNFT = (environment["PATH"] ?? "/usr/sbin:/usr/bin").split(separator: ":").contains {
        FileManager.default.isExecutableFile(atPath: "\($0)/nft")
    }
}

/// Three members of etcd, five daemons, and whatever can go wrong between them, in an order that a seed gives.
///
///     TARTAN_FAULT_SEED=7 TARTAN_FAULT_SECONDS=600 swift test --filter RealFaultTests
@Suite(
    .enabled(if: Requirements.areMet, Requirements.reason),
    .enabled(if: FaultSettings.hasNFT, "needs nft: Debian's nftables"),
    .timeLimit(.minutes(FaultSettings.seconds / 60 + 4)))
struct RealFaultTests {
    @Test func `under faults of etcd, nodes and daemons no subnet has two owners, and all settles`() async throws {
        print("TARTAN_FAULT_SEED=\(FaultSettings.seed) TARTAN_FAULT_SECONDS=\(FaultSettings.seconds)")
        var settings = try LabScene.settings(nodes: 5, leaseTTL: "\(FaultSettings.ttl)s")
        settings.etcdMembers = 3
        settings.daemonOptions = ["--log-format", "json", "--log-level", "debug"]
        try await LabScene.with(settings) { cluster in
            let run = try await FaultRun(cluster, ttl: FaultSettings.ttl)
            try await run.follow {
                try await run.inject(seed: FaultSettings.seed, seconds: FaultSettings.seconds)
                try await run.settle()
            }
            try await run.judge(seed: FaultSettings.seed)
        }
    }
}
