// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A time in which a node took a subnet for its own, as its log says it.
struct Belief: Hashable, Sendable {
    let node: String
    let subnet: String
    let from: Int64
    /// Its deadline, or earlier: when the node said something else, or died.
    let until: Int64

    private struct Line: Decodable {
        let message: String
        let phase: String?
        let subnet: String?
        let at: String?
        let until: String?
    }

    /// - Parameter deaths: when the node's daemon was surely dead.
    static func read(_ log: String, of node: String, deaths: [Int64]) -> [Belief] {
        let lines = log.split(separator: "\n").filter { $0.contains("what this node holds") }.compactMap {
            try? JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        let marks = lines.compactMap { line in line.at.flatMap { Int64($0) }.map { (at: $0, line: line) } }
        var beliefs: [Belief] = []
        for (index, mark) in marks.enumerated() {
            guard let subnet = mark.line.subnet, ["leased", "renewing"].contains(mark.line.phase) else { continue }
            // Without a deadline it is a reservation, which has no end.
            var end = mark.line.until.flatMap { Int64($0) } ?? Int64.max
            if index + 1 < marks.count { end = min(end, marks[index + 1].at) }
            if let death = deaths.first(where: { $0 > mark.at }) { end = min(end, death) }
            if end > mark.at { beliefs.append(Belief(node: node, subnet: subnet, from: mark.at, until: end)) }
        }
        return beliefs
    }

    /// Each pair of nodes that held one subnet at one time.
    static func contradictions(in beliefs: [Belief]) -> [(Belief, Belief)] {
        var found: [(Belief, Belief)] = []
        for group in Dictionary(grouping: beliefs, by: \.subnet).values {
            let sorted = group.sorted { $0.from < $1.from }
            for (index, one) in sorted.enumerated() {
                for other in sorted[(index + 1)...] {
                    if other.from >= one.until { break }
                    if other.node != one.node { found.append((one, other)) }
                }
            }
        }
        return found
    }
}
