// SPDX-License-Identifier: Apache-2.0

// The parsers that need no program, under libFuzzer (llvm.org/docs/LibFuzzer.html), on demand:
//
//     export TARTAN_LIBFUZZER=1
//     swift build --scratch-path .build-fuzz --product ParserFuzzer -Xswiftc -sanitize=fuzzer-no-link ...
//
// See `Tests/FuzzCorpus/README.md`.

import Foundation

private let parsers = FuzzedParser.wire + FuzzedParser.leases

/// `TARTAN_FUZZ_PARSER` says which; libFuzzer's own arguments say how long.
private let parser: FuzzedParser = {
    let name = ProcessInfo.processInfo.environment["TARTAN_FUZZ_PARSER"] ?? ""
    guard let parser = parsers.first(where: { $0.name == name }) else {
        fatalError("TARTAN_FUZZ_PARSER must be one of \(parsers.map(\.name).joined(separator: ", "))")
    }
    return parser
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let done = DispatchSemaphore(value: 0)
    Task {
        do {
            try await parser.parse(input)
        } catch {
            fatalError("\(error)")
        }
        done.signal()
    }
    done.wait()
    return 0
}
