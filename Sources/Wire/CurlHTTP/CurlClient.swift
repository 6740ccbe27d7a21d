// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// An HTTP client: any number of requests at once over one thread and connections that are reused.
///
/// The thread lives as long as the client, or until ``shutdown()``; requests and streams that are under way then end
/// with ``CurlError/shutDown``. No proxy is used, whatever the environment says, no redirect is followed, and both
/// clear text and TLS speak HTTP/1.1, so that a large answer never stands in the way of another request.
package final class CurlClient: Sendable {
    private let loop: CurlLoop
    private let configuration: CurlConfiguration
    private let files = Mutex(TLSFileCache())

    package init(configuration: CurlConfiguration = CurlConfiguration()) {
        self.configuration = configuration
        loop = CurlLoop(configuration: configuration)
    }

    deinit { loop.stop() }

    /// Ends everything under way, and returns when it is closed and the thread is done.
    package func shutdown() async {
        loop.stop()
        await loop.stopped()
    }

    /// Ends everything under way as if the connections had broken, and uses none of them again: what was connected
    /// from an address that this host no longer has would only run into its time limits.
    package func renewConnections() { _ = loop.post(.renewConnections) }

    /// Sends a request and collects its answer. Cancelling closes the connection.
    package func send(_ request: CurlRequest) async throws(CurlError) -> CurlResponse {
        let call = try call(request)
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                start(call, .response(continuation))
            }
        } onCancel: {
            cancel(call)
        }.get()
    }

    /// Sends a request and returns when the head of the answer is there; the lines come after.
    package func stream(_ request: CurlRequest) async throws(CurlError) -> CurlStream {
        let call = try call(request)
        let buffer = LineBuffer(limit: configuration.streamBuffer, longestLine: configuration.maximumLineLength)
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                start(call, .stream(continuation, buffer))
            }
        } onCancel: {
            cancel(call)
        }.get()
    }

    private func call(_ request: CurlRequest) throws(CurlError) -> CurlCall {
        CurlCall(request: request, credentials: try credentials(for: request))
    }

    private func start(_ call: CurlCall, _ receiver: CurlReceiver) {
        if !loop.post(.start(call, receiver)) { receiver.fail(.shutDown) }
    }

    private func cancel(_ call: CurlCall) {
        call.cancel()
        _ = loop.post(.cancel(call))
    }

    private func credentials(for request: CurlRequest) throws(CurlError) -> TLSFiles? {
        guard let tls = configuration.tls, request.url.hasPrefix("https:") else { return nil }
        let files = files.withLock { cache in
            do throws(TLSFileError) {
                return Result<TLSFiles, TLSFileError>.success(try cache.current(tls))
            } catch {
                return .failure(error)
            }
        }
        do throws(TLSFileError) {
            return try files.get()
        } catch {
            throw .tls(endpoint: request.endpoint, reason: error.reason)
        }
    }
}
