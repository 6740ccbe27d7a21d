// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle

/// A service that starts once the REST endpoint listens: a daemon whose port is taken must end before it has leased
/// anything or touched the host.
struct AfterListening<Base: Service>: Service {
    private let base: Base
    private let waiting: AsyncStream<Never>
    private let start: AsyncStream<Never>.Continuation

    init(_ base: Base) {
        self.base = base
        (waiting, start) = AsyncStream.makeStream()
    }

    func open() { start.finish() }

    func run() async throws {
        for await _ in waiting.cancelOnGracefulShutdown() {}
        try Task.checkCancellation()
        try await base.run()
    }
}
