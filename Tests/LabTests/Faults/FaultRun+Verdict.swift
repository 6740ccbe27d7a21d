// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Synchronization
import Testing

extension FaultRun {
    func judge(seed: UInt64) async throws {
        var beliefs = injector.guests.beliefs.withLock { $0 }
        for (index, node) in lab.nodes.enumerated() {
            let text = try await cluster.log(of: node.name)
            if let folder = FaultSettings.logs {
                try text.write(toFile: "\(folder)/\(node.name).log", atomically: true, encoding: .utf8)
            }
            let own = Belief.read(text, of: node.name, deaths: log.deaths(ofNode: index + 1))
            #expect(own.count > 1, "\(node.name) does not say what it holds")
            beliefs += own
            let subnets = own.reduce(into: [String]()) { if $0.last != $1.subnet { $0.append($1.subnet) } }
            let wasTaken = log.entries.contains { $0.fault.node == index + 1 && $0.fault.kind == .takenOver }
            if subnets.count > 1 { print("\(node.name) had \(subnets.joined(separator: ", then "))") }
            #expect(subnets.count == 1 || wasTaken, "nobody took the subnet of \(node.name), and it had \(subnets)")
        }
        let contradictions = Belief.contradictions(in: beliefs)
        for (one, other) in contradictions {
            Issue.record(
                """
                \(one.subnet) is held by \(one.node) from \(log.seconds(one.from)) to \(log.seconds(one.until)) s, and \
                by \(other.node) from \(log.seconds(other.from)) to \(log.seconds(other.until)) s
                """)
        }
        for violation in history.violations { Issue.record("\(violation)") }

        let text = (try? String(contentsOfFile: pingLog, encoding: .utf8)) ?? ""
        let ping = PingRecord(text, offset: offset)
        let excuses = LossExcuses(nodes: FaultSchedule.pinging, log: log, history: history)
        var reasons: [String: Int] = [:]
        var unexplained: [(number: Int, at: Int64)] = []
        for loss in ping.lost {
            if let reason = excuses.reason(at: loss.at) {
                reasons[reason, default: 0] += 1
            } else {
                unexplained.append(loss)
            }
        }
        #expect(ping.sent > 100)
        #expect(
            unexplained.isEmpty,
            "lost for no reason: \(unexplained.map { "\($0.number) at \(log.seconds($0.at)) s" })")
        summarize(
            seed: seed, beliefs: beliefs.count, violations: contradictions.count + history.violations.count, ping,
            reasons, unexplained.count)
    }

    private func summarize(
        seed: UInt64, beliefs: Int, violations: Int, _ ping: PingRecord, _ reasons: [String: Int], _ unexplained: Int
    ) {
        print("| fault | times |\n| --- | ---: |")
        for kind in Fault.Kind.allCases { print("| \(kind.rawValue) | \(log.count(kind)) |") }
        let breaks = history.breaks
        let why = reasons.sorted { $0.key < $1.key }.map { "\($0.value) while \($0.key)" }.joined(separator: ", ")
        print(
            "seed \(seed), \(log.seconds(Moment.now)) s: \(log.entries.count) faults, \(history.changes.count) changes "
                + "of leases in etcd (\(breaks.replaced) histories replaced, \(breaks.compacted) compacted), \(beliefs) "
                + "beliefs, \(violations) violations; ping: \(ping.sent) sent, \(ping.lost.count) lost"
                + "\(why.isEmpty ? "" : " (\(why))"), \(unexplained) for no reason")
    }
}
