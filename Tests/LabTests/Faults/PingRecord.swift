// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What `ping -D -O` said: which of its packets came back, and when each was sent.
struct PingRecord {
    let sent: Int
    /// Numbers and moments of those that did not come back.
    let lost: [(number: Int, at: Int64)]

    /// - Parameter offset: milliseconds from the machine's start to 1970, which is what ping counts from.
    init(_ text: String, offset: Int64) {
        var heard: [Int: Int64] = [:]
        var answered: Set<Int> = []
        for line in text.split(separator: "\n") {
            guard line.hasPrefix("["), let end = line.firstIndex(of: "]"),
                let seconds = Double(line[line.index(after: line.startIndex)..<end]),
                let range = line.range(of: "icmp_seq="),
                let number = Int(line[range.upperBound...].prefix(while: \.isNumber))
            else { continue }
            if heard[number] == nil { heard[number] = Int64(seconds * 1000) - offset }
            if line.contains("bytes from") { answered.insert(number) }
        }
        let last = heard.keys.max() ?? 0
        sent = last
        var moment: Int64 = 0
        var lost: [(number: Int, at: Int64)] = []
        for number in stride(from: 1, through: last, by: 1) {
            moment = heard[number] ?? moment + 100
            if !answered.contains(number) { lost.append((number, moment)) }
        }
        self.lost = lost
    }
}

/// When losses of the ping between two nodes have a reason other than a fault of ours.
struct LossExcuses {
    private let ranges: [(range: Range<Int64>, reason: String)]

    /// A node that was cut off loses its own packets; one whose key ended in etcd is withdrawn by the others until it
    /// is back, and they have heard of it.
    init(nodes: ClosedRange<Int>, log: FaultLog, history: EtcdHistory) {
        var ranges: [(range: Range<Int64>, reason: String)] = []
        let entries = log.entries
        for entry in entries where nodes.contains(entry.fault.node) {
            guard [.nodeCut, .nodeCutLong].contains(entry.fault.kind) else { continue }
            ranges.append((entry.start..<Self.later(entry.end, 1500), "node\(entry.fault.node) was cut off"))
        }
        for number in nodes {
            for absence in history.absences(of: "node\(number)") {
                var end = Self.later(absence.upperBound, 2000)
                // Whoever can't hear of its return learns it after the fault.
                for entry in entries
                where entry.start < end && entry.end > absence.lowerBound
                    && (entry.fault.kind.place == .etcd || nodes.contains(entry.fault.node))
                {
                    end = max(end, Self.later(entry.end, 6000))
                }
                ranges.append((absence.lowerBound - 3000..<end, "node\(number)'s lease had ended in etcd"))
            }
        }
        self.ranges = ranges
    }

    private static func later(_ moment: Int64, _ step: Int64) -> Int64 {
        moment > Int64.max - step ? Int64.max : moment + step
    }

    func reason(at moment: Int64) -> String? { ranges.first { $0.range.contains(moment) }?.reason }
}
