// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc

/// The signals that ask a program to end, as a stream, for as long as this lives. A broken pipe is an error of the
/// write, not the end.
package final class StopSignals: Sendable {
    package let stream: AsyncStream<Int32>
    /// Dispatch's sources may be used from any thread, which its Swift overlay on Linux does not say.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    package init(_ numbers: [Int32] = [SIGTERM, SIGINT, SIGHUP]) {
        Glibc.signal(SIGPIPE, SIG_IGN)
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        self.stream = stream
        unsafe sources = numbers.map { number in
            // Else the kernel ends the process before the source hears of it.
            Glibc.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
    }

    deinit { for source in unsafe sources { source.cancel() } }
}
