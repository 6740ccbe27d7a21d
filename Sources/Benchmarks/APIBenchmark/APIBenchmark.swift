// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Lab

/// How many questions about leases a second the REST endpoint answers, next to etcd's own gateway answering the same
/// ones in the same run; and what many event streams cost.
///
///     swift build -c release --static-swift-stdlib --product tartand
///     swift build -c release --static-swift-stdlib --product APIBenchmark
///     .build/release/APIBenchmark
///
/// Needs etcd and wrk (Debian). Everything listens on loopback, at ports that are free.
@main
struct APIBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Loads the REST endpoint with questions about leases, and etcd's gateway with the same ones.")

    @Option(help: "How many leases are in etcd.")
    var leases = 10_000
    @Option(help: "How often everything is measured; the table has the medians.")
    var rounds = 3
    @Option(help: "How long one measurement takes, in seconds.")
    var seconds = 5
    @Option(help: "How many connections wrk holds.")
    var connections = 64
    @Option(help: "How many clients hold an event stream, after the load; 0: none.")
    var streams = 1000
    @Option(help: "The tartand to be measured. (default: the one beside this program)")
    var tartand: String?

    mutating func validate() throws {
        guard (500...60_000).contains(leases) else { throw ValidationError("--leases must be within 500 to 60000") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds must be within 1 to 100") }
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be within 1 to 600") }
        guard (0...2000).contains(streams) else { throw ValidationError("--streams must be within 0 to 2000") }
    }

    mutating func run() async throws {
        guard let binaries = EtcdBinaries.installed else {
            throw BenchmarkError("there is no etcd; install etcd-server")
        }
        let (leases, tartand, load) = (leases, try Scene.program(tartand), self)
        try await EtcdCluster.with(binaries: binaries) { etcd in
            let scene = try await Scene.make(etcd: etcd, leases: leases, program: tartand)
            do {
                try await load.measure(scene)
            } catch {
                await scene.tearDown()
                throw error
            }
            await scene.tearDown()
        }
    }

    private func measure(_ scene: Scene) async throws {
        print("\(leases) leases, \(connections) connections, \(rounds) rounds of \(seconds) s, \(scene.program)")
        var results: [Question: [LoadResult]] = [:]
        for round in 1...rounds {
            for question in Question.allCases {
                let result = try await Load(
                    question: question, scene: scene, connections: connections, seconds: seconds
                ).run()
                print("round \(round): \(question.name): \(Int(result.rate)) requests/s")
                results[question, default: []].append(result)
            }
        }
        print(LoadTable(results).text)
        guard streams > 0 else { return }
        print(try await EventCrowd(scene: scene, clients: streams).run())
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
