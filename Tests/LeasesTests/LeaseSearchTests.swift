// SPDX-License-Identifier: Apache-2.0

import LeaseModel
import Testing

/// Lease holders against chance, in a cluster that is simulated: a seed that fails is a schedule to look at, with
/// `LeaseSearch --seed N --trace`. The tool runs many more of them.
@Suite struct LeaseSearchTests {
    @Test(arguments: 0..<4)
    func `no schedule of faults gives one subnet to two nodes, costs a connected one its own, or leaves any without`(
        batch: UInt64
    ) {
        var search = LeaseSearch()
        for seed in 0..<8 as Range<UInt64> { search.run(1_000_000 + batch * 8 + seed) }
        #expect(search.findings == [])
    }

    @Test func `between them the seeds try every kind of fault`() {
        var search = LeaseSearch()
        for seed in 0..<24 as Range<UInt64> { search.run(seed) }
        for fault in ModelFault.allCases { #expect(search.faults[fault, default: 0] > 0, "\(fault)") }
    }

    @Test(arguments: ModelDefect.allCases) func `what is broken on purpose is found`(_ defect: ModelDefect) {
        #expect(LeaseSearch.firstFinding(of: defect, among: 0..<150) != nil)
    }

    @Test func `a seed replays exactly, also one that finds something`() throws {
        let finding = try #require(LeaseSearch.firstFinding(of: .overwritesPresent, among: 0..<150))
        var runs: [[String]] = []
        for _ in 0..<3 {
            var world = World(seed: finding.seed, defect: .overwritesPresent, isTraced: true)
            world.run()
            #expect(world.violation == finding.violation)
            runs.append(world.trace)
        }
        #expect(runs[0].count > 100)
        #expect(runs[1] == runs[0] && runs[2] == runs[0])
    }
}
