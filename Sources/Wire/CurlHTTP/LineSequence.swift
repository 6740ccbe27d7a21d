// SPDX-License-Identifier: Apache-2.0

/// The lines of a streamed answer, each without its newline, for one consumer.
///
/// Letting go of the sequence (and its iterator), or cancelling the task that waits in it, closes the connection. It
/// ends with `nil` where the server ended the answer properly and throws where the connection broke.
package struct LineSequence: AsyncSequence, Sendable {
    package typealias Element = [UInt8]
    package typealias Failure = CurlError

    private let handle: StreamHandle

    init(handle: StreamHandle) { self.handle = handle }

    /// Closes the connection; whoever waits gets ``CurlError/cancelled``.
    package func cancel() { handle.cancel() }

    package func makeAsyncIterator() -> Iterator { Iterator(handle: handle) }

    package struct Iterator: AsyncIteratorProtocol, Sendable {
        package enum Item: Hashable, Sendable {
            case line([UInt8])
            /// Nothing came for as long as ``CurlRequest/silenceNotice`` says. The stream is still open.
            case silence
            case end
        }

        fileprivate let handle: StreamHandle

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(CurlError) -> [UInt8]? {
            switch await handle.next(wantsSilence: false) {
            case .line(let line): line
            case .end, .silence: nil
            case .failure(let error): throw error
            }
        }

        /// As `next`, and also returns when the server has been silent for a while.
        package mutating func nextOrSilence() async throws(CurlError) -> Item {
            switch await handle.next(wantsSilence: true) {
            case .line(let line): .line(line)
            case .silence: .silence
            case .end: .end
            case .failure(let error): throw error
            }
        }
    }
}
