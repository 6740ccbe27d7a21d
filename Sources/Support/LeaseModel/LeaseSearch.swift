// SPDX-License-Identifier: Apache-2.0

/// Many seeds, one after another; what came of them in one sum.
package struct LeaseSearch: Sendable {
    package struct Finding: Hashable, Sendable {
        package let seed: UInt64
        package let violation: String
    }

    package private(set) var seeds = 0
    package private(set) var steps = 0
    package private(set) var faults: [ModelFault: Int] = [:]
    package private(set) var findings: [Finding] = []

    package init() {}

    package mutating func run(_ seed: UInt64, defect: ModelDefect? = nil) {
        var world = World(seed: seed, defect: defect)
        world.run()
        seeds += 1
        steps += world.steps
        faults.merge(world.faults, uniquingKeysWith: +)
        if let violation = world.violation { findings.append(Finding(seed: seed, violation: violation)) }
    }

    package mutating func add(_ other: LeaseSearch) {
        seeds += other.seeds
        steps += other.steps
        faults.merge(other.faults, uniquingKeysWith: +)
        findings += other.findings
    }

    /// The first seed from there on in which a defect shows, among so many.
    package static func firstFinding(of defect: ModelDefect, among seeds: Range<UInt64>) -> Finding? {
        var search = LeaseSearch()
        for seed in seeds {
            search.run(seed, defect: defect)
            if let finding = search.findings.first { return finding }
        }
        return nil
    }
}
