// SPDX-License-Identifier: Apache-2.0

import APISchema
import Hummingbird
import IPAddressing
import Leases
import Logging
import NodeAgent

/// `/v1/leases`: who holds which subnet.
struct LeaseRoutes: Sendable {
    let status: NodeStatus
    let store: any LeaseStore
    let catalog: LeaseCatalog
    let events: EventStreamRoute
    /// Part of every entity tag: another version may write the same leases otherwise.
    let version: String
    /// How long etcd may take to say what is left of a lease.
    var remainingTimeLimit = Duration.seconds(1)
    private let remainingTimes: RemainingTimes

    init(
        status: NodeStatus, store: any LeaseStore, catalog: LeaseCatalog, events: EventStreamRoute, version: String
    ) {
        self.status = status
        self.store = store
        self.catalog = catalog
        self.events = events
        self.version = version
        remainingTimes = RemainingTimes(clock: status.clock)
    }

    /// The most leases on one page. Without a limit all come at once.
    static let pageLimit = 10_000

    var endpoints: [Endpoint] {
        [.get("/v1/leases", list), .get("/v1/leases/{subnet}", one)]
    }

    private func list(_ request: Request, _ context: APIRequestContext) throws -> Response {
        let accept = AcceptHeader(request)
        guard !EventStreamRoute.isWanted(accept) else {
            // No pages: a stream has no end.
            let query = try QueryParameters(request.uri.query, allowing: LeaseFilter.parameters)
            return try events.response(to: request, filter: LeaseFilter(query))
        }
        let query = try QueryParameters(
            request.uri.query, allowing: LeaseFilter.parameters.union(["limit", "continue"]))
        try accept.require("application/json")
        let filter = try LeaseFilter(query)
        let digest = filter.digest
        let limit = try query.number("limit", in: 1...Self.pageLimit)
        let token = try query["continue"].map { try Self.token($0, digest: digest) }
        let index = try token.map { try pinned($0) } ?? catalog.current()
        let own = status.read { $0.lease?.key }
        let tag = EntityTag(
            "\(index.revision)-"
                + EntityTag.digest([
                    version, digest, own.map { "\($0)" } ?? "", limit.map { "\($0)" } ?? "",
                    token.map { "\($0.last)" } ?? "",
                ]))
        var headers: HTTPFields = [
            .eTag: tag.description, .cacheControl: "no-cache", .vary: "Accept", .contentType: "application/json",
        ]
        if let known = tag.known(to: request) {
            headers[.eTag] = known
            return Response(status: .notModified, headers: headers)
        }
        let start = token.map { index.place(after: $0.last) } ?? 0
        let body = page(of: index, from: start, limit: limit, filter: filter, digest: digest, own: own)
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    private static func token(_ text: String, digest: String) throws(APIProblem) -> ContinueToken {
        guard let token = ContinueToken(parsing: text) else {
            throw .badParameter(
                "continue", "the parameter 'continue' is not a token that this endpoint gave; start without it")
        }
        guard token.digest == digest else {
            throw .badParameter(
                "continue", "the parameter 'continue' belongs to a list with other filters; give the same ones")
        }
        return token
    }

    private func pinned(_ token: ContinueToken) throws(APIProblem) -> LeaseIndex {
        guard let index = catalog.pinned(at: token.revision) else {
            throw APIProblem(
                status: .gone, title: "List expired",
                detail: "the leases as of revision \(token.revision) are no longer kept; start the list anew, without "
                    + "'continue'", parameter: "continue")
        }
        return index
    }

    private func page(
        of index: LeaseIndex, from start: Int, limit: Int?, filter: LeaseFilter, digest: String, own: SubnetKey?
    ) -> [UInt8] {
        let leases = index.leases
        var text = JSONText(capacity: min(limit ?? leases.count, leases.count) * (filter.isEmpty ? 400 : 40) + 128)
        text.raw("{\"revision\":\"\(index.revision)\",\"items\":[")
        var count = 0
        var last: Lease?
        var token: ContinueToken?
        for place in start..<max(start, leases.count) where filter.admits(leases[place]) {
            if count == limit {
                token = last.map { ContinueToken(revision: index.revision, last: $0.key, digest: digest) }
                break
            }
            if count > 0 { text.raw(",") }
            text.lease(leases[place], isLocal: leases[place].key == own)
            last = leases[place]
            count += 1
        }
        text.raw("]")
        if let token {
            catalog.pin(index)
            text.raw(",\"continue\":\"\(token.text)\"")
        }
        text.raw("}")
        return text.bytes
    }

    private func one(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        _ = try QueryParameters(request.uri.query, allowing: [])
        try AcceptHeader(request).require("application/json")
        let key = try SubnetPath.present(context)
        let (found, own, isComplete) = status.read { ($0.leases[key], $0.lease?.key, $0.leases.isComplete) }
        // By one of its subnets alone, a lease of a dual-stack network is found as well.
        guard let lease = try found ?? catalog.current().lease(like: key) else {
            guard isComplete else { throw APIProblem.notReady(status.read { $0.feedProblem }) }
            throw APIProblem.notFound("nobody has a lease of \(key.text)")
        }
        var life: LeaseLife?
        if let grant = lease.grantID {
            let left = await remainingTimes.remaining(of: grant) { await remainingTime(of: grant, context.logger) }
            life = left.map { LeaseLife(remaining: $0) }
        }
        var text = JSONText(capacity: 512)
        text.lease(lease, isLocal: lease.key == own, life: life)
        // What is left of the lease changes without a revision; the revision in front is for If-Match.
        let tag = EntityTag("\(lease.modRevision)-" + EntityTag.digest([version], text.bytes))
        var headers: HTTPFields = [
            .eTag: tag.description, .cacheControl: "no-cache", .contentType: "application/json",
        ]
        if let known = tag.known(to: request) {
            headers[.eTag] = known
            return Response(status: .notModified, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: text.bytes)))
    }

    /// `nil` where the grant is gone or etcd does not say in time.
    private func remainingTime(of grant: GrantID, _ logger: Logger) async -> Duration? {
        await withTaskGroup(of: Duration?.self) { group in
            group.addTask { [store] in
                do {
                    return try await store.remainingTime(of: grant)
                } catch {
                    logger.debug("what is left of a lease is not known", metadata: ["error": "\(error)"])
                    return nil
                }
            }
            group.addTask { [remainingTimeLimit] in
                try? await Task.sleep(for: remainingTimeLimit)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }
}
