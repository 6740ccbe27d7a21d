// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import BenchmarkKit
import Glibc

/// How fast the kernel learns of many peers: Tartan beside the limit and beside a script, in one run.
///
///     swift build -c release --product tartand
///     swift run -c release KernelBenchmark
///
/// Needs root, iproute2 and etcd. Each measurement has a fresh network namespace of its own, which is gone afterwards.
@main
struct KernelBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times the programming of the kernel: a raw C sender, ip -batch with bridge -batch, and Tartan.")

    @Option(parsing: .upToNextOption, help: "For how many peers.")
    var peers = [1_000, 10_000, 65_000]
    @Option(help: "How often each is measured; the table has the medians.")
    var runs = 3
    @Option(help: "How many peers are added one by one; 0 leaves that out.")
    var onePeer = 200
    @Option(help: "The tartand to which they are added. (default: the one beside this program)")
    var tartand: String?

    mutating func validate() throws {
        guard peers.allSatisfy((1...65_000).contains) else {
            throw ValidationError("--peers must be within 1 to 65000")
        }
        guard (0...500).contains(onePeer) else { throw ValidationError("--one-peer must be within 0 to 500") }
        guard (1...100).contains(runs) else { throw ValidationError("--runs must be within 1 to 100") }
    }

    mutating func run() async throws {
        guard geteuid() == 0 else { throw BenchmarkError("network namespaces need root; run this as root") }
        let program = onePeer > 0 ? try DaemonProcess.program(tartand) : ""
        print("seconds, median of \(runs) runs; four entries a peer")
        print(Row.heading)
        fflush(nil)
        for count in peers {
            var all: (raw: [Times], script: [Times], tartan: [Times]) = ([], [], [])
            // In turns, so that a machine that slows down slows all three.
            for _ in 0..<runs {
                all.raw.append(try await RawSender.measure(peers: count))
                all.script.append(try await CommandBatch.measure(peers: count))
                all.tartan.append(try await TartanDriver.measure(peers: count))
            }
            let (raw, script, tartan) = (Times.median(all.raw), Times.median(all.script), Times.median(all.tartan))
            for (name, step) in Times.steps {
                print(
                    Row(
                        peers: count, step: name, raw: step(raw), script: step(script),
                        tartan: step(tartan)))
                fflush(nil)
            }
            if onePeer > 0 { try await addOnePeer(to: count, program) }
        }
        print(
            "raw C reads the tables at a warm restart and compares nothing; ip -batch says everything again, which beyond 10,000 peers takes too long"
        )
        if onePeer > 0 {
            print("one peer: Tartan's time begins with the put into etcd, the others know of the peer already")
        }
    }

    private func addOnePeer(to count: Int, _ program: String) async throws {
        let step = OnePeer(peers: count, rounds: onePeer)
        // First: the end of the others' namespaces, with all that is in them, holds up whatever wants a new one.
        let tartan = try await step.tartan(program)
        let (raw, script) = (try await step.raw(), try await step.script())
        for (name, value) in [
            ("one peer p50", { $0.median }), ("one peer p99", { $0.slowest }),
        ] as [(String, (OnePeer.Times) -> Double)] {
            print(Row(peers: count, step: name, raw: value(raw), script: value(script), tartan: value(tartan)))
            fflush(nil)
        }
    }
}

/// A line of the table.
struct Row: CustomStringConvertible {
    let peers: Int
    let step: String
    let raw: Double?
    let script: Double?
    let tartan: Double?

    static let heading =
        "  peers  step            \(RawSender.name)  \(CommandBatch.name)   \(TartanDriver.name)  Tartan/raw  ip/Tartan"

    var description: String {
        pad("\(peers)", 7) + "  " + step + String(repeating: " ", count: max(0, 13 - step.count))
            + pad(number(raw, 4), 8)
            + pad(number(script, 4), 11) + pad(number(tartan, 4), 9) + pad(ratio(tartan, raw, 2), 12)
            + pad(ratio(script, tartan, 1), 11)
    }

    private func ratio(_ value: Double?, _ base: Double?, _ digits: Int) -> String {
        guard let value, let base else { return "-" }
        return number(value / base, digits)
    }

    private func number(_ value: Double?, _ digits: Int) -> String {
        guard let value else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let text = String(Int((value * scale).rounded()))
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
