// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import LeaseModel

/// Runs the simulated cluster of `LeaseModel` over many seeds and says what was tried; exit 1 on a violation.
@main
struct LeaseSearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "LeaseSearch",
        abstract: "Search for a schedule of faults that breaks the lease holders' guarantees.")

    @Option(help: "How many seeds to run.")
    var seeds: UInt64 = 10_000

    @Option(help: "The first of them.")
    var first: UInt64 = 1

    @Option(help: "Run this one seed only.")
    var seed: UInt64?

    @Flag(help: "With --seed: print everything that happens.")
    var trace = false

    @Option(help: "Break something on purpose: \(ModelDefect.allCases.map(\.rawValue).joined(separator: ", ")).")
    var defect: ModelDefect?

    @Option(help: "How many seeds to run at the same time.")
    var jobs: UInt64 = 2

    func run() async throws {
        if let seed { return try replay(seed) }
        let start = ContinuousClock.now
        let search = await search()
        let seconds = start.duration(to: .now) / .seconds(1)
        print("\(search.seeds) seeds of 5 to 20 nodes, \(search.steps) steps in \(Self.rounded(seconds)) s")
        for fault in ModelFault.allCases { print("  \(fault.rawValue): \(search.faults[fault] ?? 0)") }
        print("violations: \(search.findings.count)")
        for finding in search.findings.sorted(by: { $0.seed < $1.seed }).prefix(20) {
            print("  seed \(finding.seed): \(finding.violation)")
        }
        if !search.findings.isEmpty { throw ExitCode(1) }
    }

    private func search() async -> LeaseSearch {
        let (first, seeds, jobs, defect) = (first, seeds, max(1, jobs), defect)
        return await withTaskGroup(of: LeaseSearch.self) { group in
            for job in 0..<jobs {
                group.addTask {
                    var search = LeaseSearch()
                    for seed in stride(from: first + job, to: first + seeds, by: Int(jobs)) {
                        search.run(seed, defect: defect)
                    }
                    return search
                }
            }
            var sum = LeaseSearch()
            for await search in group { sum.add(search) }
            return sum
        }
    }

    private func replay(_ seed: UInt64) throws {
        var world = World(seed: seed, defect: defect, isTraced: trace)
        world.run()
        for line in world.trace { print(line) }
        print("seed \(seed): \(world.steps) steps; \(world.violation ?? "no violation")")
        if world.violation != nil { throw ExitCode(1) }
    }

    private static func rounded(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10)" }
}

extension ModelDefect: ExpressibleByArgument {}
