// SPDX-License-Identifier: Apache-2.0

extension EtcdClient {
    /// The keys in pages, all of them as of one revision: that of the first page, or the request's own.
    ///
    /// While a page is used the next one is fetched already. The first is small, so that its user can start early;
    /// each later one is twice as large, up to the limit: etcd walks its whole index for every page.
    package func pages(_ request: RangeRequest, first: Int64 = 500, limit: Int64 = 2_000) -> RangePages {
        RangePages(client: self, request: request, first: first, limit: limit)
    }
}

/// See ``EtcdClient/pages(_:first:limit:)``.
package struct RangePages: AsyncSequence, Sendable {
    package typealias Element = RangeResponse
    package typealias Failure = EtcdError

    let client: EtcdClient
    let request: RangeRequest
    let first: Int64
    let limit: Int64

    package func makeAsyncIterator() -> Iterator { Iterator(pages: self) }

    package struct Iterator: AsyncIteratorProtocol {
        private let pages: RangePages
        private var next: Fetch?
        private var size: Int64

        init(pages: RangePages) {
            self.pages = pages
            size = pages.first
            var request = pages.request
            request.limit = size
            next = Fetch(pages.client, request)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws(EtcdError) -> RangeResponse? {
            guard let fetch = next else { return nil }
            next = nil
            let page = try await fetch.result()
            if page.hasMore, let last = page.keyValues.last {
                size = Swift.min(size * 2, pages.limit)
                var request = pages.request
                // The key behind the last one.
                request.keys = KeyRange(start: last.key + [0], end: request.keys.end)
                request.revision = request.revision == 0 ? fetch.revision ?? page.header.revision : request.revision
                request.limit = size
                next = Fetch(pages.client, request)
            }
            return page
        }
    }

    /// A page on its way; letting go of it ends its request.
    private final class Fetch: Sendable {
        let revision: Int64?
        private let task: Task<Result<RangeResponse, EtcdError>, Never>

        init(_ client: EtcdClient, _ request: RangeRequest) {
            revision = request.revision == 0 ? nil : request.revision
            task = Task {
                do throws(EtcdError) {
                    return .success(try await client.range(request))
                } catch {
                    return .failure(error)
                }
            }
        }

        deinit { task.cancel() }

        func result() async throws(EtcdError) -> RangeResponse {
            try await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }.get()
        }
    }
}
