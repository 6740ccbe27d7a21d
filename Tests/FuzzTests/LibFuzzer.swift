// SPDX-License-Identifier: Apache-2.0

// The parsers that need no program, under libFuzzer (llvm.org/docs/LibFuzzer.html), which learns from the code's own
// branches; on demand:
//
//     TARTAN_LIBFUZZER=1 swift build --scratch-path .build-fuzz --product ParserFuzzer -Xswiftc -sanitize=fuzzer
//     mkdir /tmp/found && TARTAN_FUZZ_PARSER=json .build-fuzz/debug/ParserFuzzer -max_total_time=60 /tmp/found \
//         Tests/FuzzCorpus/json

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

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// Swift's package manager makes this the program's `main`, in front of libFuzzer's own.
@_cdecl("ParserFuzzer_main")
public func fuzzerMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    var (count, arguments) = (count, arguments)
    return runDriver(&count, &arguments) { fuzzOneInput($0, $1) }
}
