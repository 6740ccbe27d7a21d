// SPDX-License-Identifier: Apache-2.0

/// The consumer's hold on a stream: when the last copy goes, so does the connection.
final class StreamHandle: Sendable {
    private let call: CurlCall
    private let loop: CurlLoop
    private let buffer: LineBuffer

    init(call: CurlCall, loop: CurlLoop, buffer: LineBuffer) {
        self.call = call
        self.loop = loop
        self.buffer = buffer
    }

    deinit { cancel() }

    func cancel() {
        call.cancel()
        _ = loop.post(.cancel(call))
    }

    func next(wantsSilence: Bool) async -> LineBuffer.Step {
        if Task.isCancelled {
            cancel()
            return .failure(.cancelled)
        }
        if case .step(let step, let resume) = buffer.take() {
            if resume { _ = loop.post(.resume(call)) }
            return step
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if buffer.wait(continuation, wantsSilence: wantsSilence) { _ = loop.post(.resume(call)) }
            }
        } onCancel: {
            cancel()
        }
    }
}
