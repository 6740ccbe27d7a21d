// SPDX-License-Identifier: Apache-2.0

import CNITestKit
import Foundation
import JSONText
import Netlink

/// ADD and DEL of pods, alone and many at once, with tartan-cni and with the reference chain (a delegating plugin, then
/// `bridge`, then `host-local`) in turns, in one run on one machine.
///
/// The delegating plugin is tartan-cni itself in flannel's form, which takes less time than flannel's own: the chain's
/// times are rather too good than too bad.
///
///     swift build -c release --product tartan-cni --product CNIBenchmark && .build/release/CNIBenchmark [ROUNDS [OTHER]]
///
/// With the path of another build of tartan-cni that takes the chain's place.
struct Comparison {
    let rounds: Int
    let parallel = 16
    /// How many pods each worker makes before it is the other way's turn.
    private let turnLength = 4
    /// An earlier build to compare with in place of the chain.
    let other: String?
    let ours: PodHost
    let chain: PodHost

    init(rounds: Int, other: String?) throws {
        self.rounds = rounds
        self.other = other
        ours = try PodHost()
        chain = try PodHost()
        for host in [ours, chain] {
            let text = """
                FLANNEL_NETWORK=10.99.0.0/16
                FLANNEL_SUBNET=10.99.1.1/24
                FLANNEL_MTU=1400
                FLANNEL_IPMASQ=true

                """
            try text.write(toFile: host.subnetFile, atomically: true, encoding: .utf8)
        }
    }

    private func configuration(_ host: PodHost) -> JSONValue {
        var members = [JSONValue.Member("cniVersion", .string("1.0.0"))]
        if host === chain, other == nil {
            members.append(.init("delegate", .object([.init("isDefaultGateway", .bool(true))])))
        }
        return host.configuration(members)
    }

    struct Sample {
        var add: [Duration] = []
        var delete: [Duration] = []

        static func + (left: Self, right: Self) -> Self {
            Sample(add: left.add + right.add, delete: left.delete + right.delete)
        }
    }

    /// One pod comes and goes.
    private func visit(_ host: PodHost, _ pod: PodHost.Pod, _ container: String) throws -> Sample {
        let configuration = configuration(host)
        let plugin = host === chain ? other ?? PluginFiles.ours : PluginFiles.ours
        let added = try host.start(plugin, "ADD", container, pod, configuration).wait()
        guard added.status == 0 else { throw Failure("ADD: \(String(decoding: added.output, as: UTF8.self))") }
        let deleted = try host.start(plugin, "DEL", container, pod, configuration).wait()
        guard deleted.status == 0 else { throw Failure("DEL: \(String(decoding: deleted.output, as: UTF8.self))") }
        return Sample(add: [added.duration], delete: [deleted.duration])
    }

    func alone() throws -> (ours: Sample, chain: Sample) {
        var result = (ours: Sample(), chain: Sample())
        let pods = (try ours.makePod(), try chain.makePod())
        for round in 0..<rounds {
            result.ours = result.ours + (try visit(ours, pods.0, "ours\(round)"))
            result.chain = result.chain + (try visit(chain, pods.1, "chain\(round)"))
        }
        return result
    }

    /// Each of the workers does what one does alone; the two ways never at the same time, but by turns, so that whatever
    /// else the machine does meanwhile happens to both.
    func together() throws -> (ours: Sample, chain: Sample) {
        let pods = try [ours, chain].map { host in try (0..<parallel).map { _ in try host.makePod() } }
        var result = (ours: Sample(), chain: Sample())
        for turn in 0..<max(1, rounds / parallel / turnLength) {
            result.ours = result.ours + (try together(ours, pods[0], turn))
            result.chain = result.chain + (try together(chain, pods[1], turn))
        }
        return result
    }

    private func together(_ host: PodHost, _ pods: [PodHost.Pod], _ turn: Int) throws -> Sample {
        let results = Results()
        let group = DispatchGroup()
        for (worker, pod) in pods.enumerated() {
            group.enter()
            Thread.detachNewThread { [self] in
                defer { group.leave() }
                for round in 0..<turnLength {
                    do {
                        results.add(try visit(host, pod, "worker\(worker)-\(turn)-\(round)"))
                    } catch {
                        results.fail(error)
                    }
                }
            }
        }
        group.wait()
        return try results.get()
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

final class Results: @unchecked Sendable {
    // The lock guards both: that is all the proof there is to give.
    private let lock = NSLock()
    private var sample = Comparison.Sample()
    private var error: (any Error)?

    func add(_ more: Comparison.Sample) { lock.withLock { sample = sample + more } }
    func fail(_ problem: any Error) { lock.withLock { error = problem } }
    func get() throws -> Comparison.Sample {
        try lock.withLock {
            if let error { throw error }
            return sample
        }
    }
}

func milliseconds(_ durations: [Duration], _ part: Double) -> Double {
    let sorted = durations.sorted()
    let duration = sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    return duration / .milliseconds(1)
}

func printRow(_ name: String, _ ours: [Duration], _ chain: [Duration]) {
    let (median, last) = (milliseconds(ours, 0.5), milliseconds(ours, 0.99))
    let (chainMedian, chainLast) = (milliseconds(chain, 0.5), milliseconds(chain, 0.99))
    let numbers = [median, last, chainMedian, chainLast].map { String(format: "%10.2f", $0) }.joined(separator: " |")
    let ratios = String(format: "%8.2f | %8.2f", median / chainMedian, last / chainLast)
    print("| \(name.padding(toLength: 15, withPad: " ", startingAt: 0)) |\(numbers) | \(ratios) |")
}

/// What the kernel alone takes for the part that both have in common: one veth pair on a bridge, made and removed.
func kernelAlone(_ rounds: Int) throws -> Comparison.Sample {
    let host = try PodHost()
    let pod = try NetworkNamespace(name: try host.makePod().name)
    var connection = try NetworkNamespace(name: host.namespace).connect()
    try connection.perform(.new, LinkMessage(name: "br", isUp: true, kind: .bridge), [.create, .exclusive])
    let bridge = try connection.get(LinkMessage(name: "br")).index
    var sample = Comparison.Sample()
    for _ in 0..<rounds {
        let peer = VETHPeer(name: "eth0", namespace: pod.descriptor)
        let pair = LinkMessage(name: "pair", isUp: true, master: bridge, kind: .veth(peer))
        let start = ContinuousClock.now
        try connection.perform(.new, pair, [.create, .exclusive])
        let middle = ContinuousClock.now
        try connection.perform(.delete, LinkMessage(name: "pair"))
        sample.add.append(start.duration(to: middle))
        sample.delete.append(middle.duration(to: .now))
    }
    return sample
}

/// A function, so that the hosts go when it is done.
func main() throws {
    guard PluginFiles.hasReference else {
        print("the reference plugins are not in \(PluginFiles.reference); install containernetworking-plugins")
        exit(69)
    }
    let words = CommandLine.arguments.dropFirst()
    let comparison = try Comparison(
        rounds: words.first.flatMap(Int.init) ?? 320, other: words.dropFirst().first)
    let alone = try comparison.alone()
    let together = try comparison.together()
    let floor = try kernelAlone(comparison.rounds)
    print(
        """
        milliseconds from start to end of the process; \(comparison.rounds) rounds; 16 at once on \
        \(ProcessInfo.processInfo.activeProcessorCount) processors

        |                 | tartan-cni |           | reference |           | ratio    |          |
        | operation       |    median |       p99 |    median |       p99 |   median |      p99 |
        | --------------- | --------- | --------- | --------- | --------- | -------- | -------- |
        """)
    printRow("ADD alone", alone.ours.add, alone.chain.add)
    printRow("DEL alone", alone.ours.delete, alone.chain.delete)
    printRow("ADD 16 at once", together.ours.add, together.chain.add)
    printRow("DEL 16 at once", together.ours.delete, together.chain.delete)
    print(
        String(
            format: "\nof which the kernel alone: making a veth pair %.2f (p99 %.2f), removing it %.2f (p99 %.2f)",
            milliseconds(floor.add, 0.5), milliseconds(floor.add, 0.99), milliseconds(floor.delete, 0.5),
            milliseconds(floor.delete, 0.99)))
}

try main()
