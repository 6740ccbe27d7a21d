// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Testing

/// Whatever others write, the parsers return, soon, without much memory, and keep their promises.
///
/// `Tests/FuzzCorpus` has a folder a parser: real forms, and every input that ever broke one. What fails names its seed
/// and number; a crash leaves them in `$TMPDIR/tartan-fuzz-PARSER`. To repeat one input, or to look for longer:
///
///     TARTAN_FUZZ_SEED=1 TARTAN_FUZZ_NUMBER=1234 swift test --filter FuzzTests
///     TARTAN_FUZZ_SEED=$RANDOM TARTAN_FUZZ_COUNT=1000000 swift test --filter FuzzTests
@Suite(.timeLimit(.minutes(60)))
struct FuzzTests {
    static let parsers =
        FuzzedParser.wire + FuzzedParser.leases + FuzzedParser.api + FuzzedParser.firewall + FuzzedParser.programs

    private static func variable(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    /// One input may not take longer: the slowest here takes some milliseconds, on a busy machine some more.
    private static let limit = Duration.seconds(2)

    @Test(arguments: parsers) func `every input of the corpus is survived`(parser: FuzzedParser) async throws {
        let corpus = try Corpus(parser.name)
        #expect(!corpus.inputs.isEmpty)
        for (name, input) in corpus.inputs {
            try await Self.run(parser, input, "Tests/FuzzCorpus/\(parser.name)/\(name)")
        }
    }

    @Test(arguments: parsers) func `what comes of changing the corpus is survived`(parser: FuzzedParser) async throws {
        let seed = Self.variable("TARTAN_FUZZ_SEED") ?? 1
        let corpus = try Corpus(parser.name)
        let mutator = Mutator(corpus: corpus.inputs.map(\.input), words: parser.words.map { Array($0.utf8) })
        if let number = Self.variable("TARTAN_FUZZ_NUMBER") {
            let input = mutator.input(seed: seed, number: number)
            try Data(input).write(to: URL(filePath: Progress.path(parser.name) + ".input"))
            return try await Self.run(parser, input, "seed \(seed) number \(number)")
        }
        let count = (Self.variable("TARTAN_FUZZ_COUNT") ?? 1_000) / UInt64(parser.cost)
        print("fuzzing \(parser.name): seed \(seed), \(count) inputs")
        let progress = try Progress(parser.name)
        for number in 0..<count {
            progress.note(seed: seed, number: number)
            try await Self.run(parser, mutator.input(seed: seed, number: number), "seed \(seed) number \(number)")
        }
        progress.remove()
        #expect(Self.peakMemory < 1_500 << 20, "some input took much memory")
    }

    private static func run(_ parser: FuzzedParser, _ input: [UInt8], _ name: String) async throws {
        let start = ContinuousClock.now
        do {
            try await parser.parse(input)
        } catch {
            Issue.record("\(parser.name), \(name): \(error)")
        }
        let took = ContinuousClock.now - start
        if took > limit { Issue.record("\(parser.name), \(name): took \(took) for \(input.count) bytes") }
    }

    /// In bytes (getrusage(2)).
    private static var peakMemory: Int {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}

/// One parser's folder.
struct Corpus {
    let inputs: [(name: String, input: [UInt8])]

    init(_ parser: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "FuzzCorpus/\(parser)")
        inputs = try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }
}

/// Which input is being tried, in a file that outlives a crash.
struct Progress: ~Copyable {
    private let path: String
    private let file: Int32

    static func path(_ parser: String) -> String {
        "\(ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp")/tartan-fuzz-\(parser)"
    }

    init(_ parser: String) throws {
        path = Self.path(parser)
        file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        try #require(file >= 0)
    }

    deinit { close(file) }

    func note(seed: UInt64, number: UInt64) {
        let text = "TARTAN_FUZZ_SEED=\(seed) TARTAN_FUZZ_NUMBER=\(number)\n"
        _ = text.withCString { pwrite(file, $0, strlen($0), 0) }
    }

    func remove() { unlink(path) }
}
