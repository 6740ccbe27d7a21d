// SPDX-License-Identifier: Apache-2.0

import APISchema
import FoundationEssentials
import HTTPTypes
import Hummingbird
import IPAddressing
import Leases
import NodeAgent

/// Everything that changes something: leases for nodes that are not this one, and reservations. Registered in one
/// place, so that a listener that only reads can leave all of it out.
struct ChangeRoutes: Sendable {
    let status: NodeStatus
    let authority: LeaseAuthority
    let catalog: LeaseCatalog
    /// Of a lease that is asked for without one.
    let leaseTTL: Duration

    var endpoints: [Endpoint] {
        [
            Endpoint(method: .post, path: "/v1/leases", handler: lease),
            Endpoint(method: .post, path: "/v1/leases/{subnet}/renew", handler: renew),
            Endpoint(method: .delete, path: "/v1/leases/{subnet}", handler: release),
            Endpoint(method: .put, path: "/v1/reservations/{subnet}", handler: reserve),
            Endpoint(method: .delete, path: "/v1/reservations/{subnet}", handler: unreserve),
        ]
    }

    private func lease(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try Self.check(request)
        let document = try await RequestBody.read(
            LeaseRequestDocument.self, of: request, context,
            fields: [
                "": ["node", "publicIP", "subnet", "ttl", "backend"], "backend": RequestFields.backend,
            ])
        let idempotencyKey = try Self.idempotencyKey(request)
        var wish = LeaseApplication.Wish(
            node: try RequestFields.node(document.node), publicIP: try RequestFields.publicIP(document.publicIP),
            ttl: try document.ttl.map(RequestFields.ttl) ?? leaseTTL)
        wish.backend = try document.backend.map { try RequestFields.backend($0, config: config) }
        if let text = document.subnet {
            guard let subnet = try RequestFields.subnet(text) else {
                throw APIProblem(
                    status: .unprocessableContent, title: "Not given out",
                    detail: "no subnet begins at \(text)", parameter: "subnet")
            }
            wish.subnet = subnet
        }
        try requireLeases()
        if case .valid(let config)? = config, !config.hasIPv4 {
            throw APIProblem(
                status: .unprocessableContent, title: "Not given out",
                detail:
                    "the network has no IPv4, and without it no subnet is leased to others; a node that runs tartand "
                    + "leases its IPv6 subnet itself")
        }
        let token = LeaseToken(
            idempotencyKey: idempotencyKey, node: document.node, publicIP: "\(wish.publicIP)")
        let held = try await asked {
            try await authority.lease(wish, token: token.digest, isRepeatable: idempotencyKey != nil)
        }
        return answer(held.lease, .created, until: held.until, token: token.text)
    }

    private func renew(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try Self.check(request)
        let wanted = try SubnetPath.key(context)
        let document = try await RequestBody.read(
            RenewalRequestDocument.self, of: request, context, fields: ["": ["token"]])
        guard (1...256).contains(document.token.utf8.count) else {
            throw RequestBody.problem("token", "the field 'token' must be the token that came with the lease")
        }
        guard let wanted else { return try Self.nobody(try SubnetPath.present(context)) }
        let key = try await known(wanted)
        let token = LeaseToken(text: document.token).digest
        switch try await asked({ try await authority.renew(key, token: token) }) {
        case .renewed(let lease, let until): return answer(lease, .ok, until: until)
        case .gone: return try Self.nobody(key)
        case .wrongToken:
            throw Self.forbidden("the token is not that of the lease of \(key.subnet), which may be another's by now")
        case .notIssued:
            throw Self.forbidden(
                "the lease of \(key.subnet) was not made here: its node renews it itself, and no token proves it")
        }
    }

    private func release(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try Self.check(request)
        guard let condition = try Precondition(.ifMatch, of: request) else {
            throw APIProblem(
                status: .preconditionRequired, title: "Precondition required",
                detail: "say with If-Match which revision of the lease is to be released; its ETag has it",
                parameter: "If-Match")
        }
        let key = try await known(try SubnetPath.present(context))
        guard let proof = try await asked({ try await authority.present(key) }) else { return try Self.nobody(key) }
        guard proof.lease.grantID != nil else {
            throw APIProblem.conflict(
                "\(key.subnet) is a reservation; give it back with DELETE /v1/reservations/\(key)")
        }
        guard condition.names(proof.lease) else { throw Precondition.failed("If-Match", proof.lease, key) }
        return try await withdraw(proof)
    }

    private func reserve(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try Self.check(request)
        let wanted = try SubnetPath.key(context)
        let document = try await RequestBody.read(
            ReservationRequestDocument.self, of: request, context,
            fields: ["": ["node", "publicIP", "backend"], "backend": RequestFields.backend])
        let node = try RequestFields.node(document.node)
        let publicIP = try RequestFields.publicIP(document.publicIP)
        let backend = try document.backend.map { try RequestFields.backend($0, config: config) }
        let match = try Precondition(.ifMatch, of: request)
        let noneMatch = try Precondition(.ifNoneMatch, of: request)
        guard let wanted else {
            throw APIProblem(
                status: .unprocessableContent, title: "Not given out",
                detail: "no subnet begins at \(context.parameters.get("subnet") ?? "")", parameter: "subnet")
        }
        try requireLeases()
        let key = try await known(wanted)
        let present = try await asked { try await authority.present(key) }?.lease
        if let match, !match.names(present) { throw Precondition.failed("If-Match", present, key) }
        if let noneMatch, noneMatch.names(present) { throw Precondition.failed("If-None-Match", present, key) }
        let reservation = ReservationRequest(
            subnet: key.subnet, node: node, publicIP: publicIP, backend: backend)
        let outcome = try await asked {
            try await authority.reserve(reservation, key, present: present, isNamed: match != nil)
        }
        switch outcome {
        case .created(let lease): return answer(lease, .created)
        case .changed(let lease), .unchanged(let lease): return answer(lease, .ok)
        }
    }

    private func unreserve(_ request: Request, _ context: APIRequestContext) async throws -> Response {
        try Self.check(request)
        let condition = try Precondition(.ifMatch, of: request)
        let key = try await known(try SubnetPath.present(context))
        guard let proof = try await asked({ try await authority.present(key) }) else { return try Self.nobody(key) }
        guard proof.lease.grantID == nil else {
            throw APIProblem.conflict("\(key.subnet) is a lease; release it with DELETE /v1/leases/\(key)")
        }
        if let condition, !condition.names(proof.lease) { throw Precondition.failed("If-Match", proof.lease, key) }
        return try await withdraw(proof)
    }

    private func withdraw(_ proof: LeaseProof) async throws -> Response {
        let key = proof.lease.key
        switch try await asked({ try await authority.withdraw(proof) }) {
        case .withdrawn: return Response(status: .noContent, headers: [.cacheControl: "no-store"])
        case .gone: return try Self.nobody(key)
        case .changed: throw APIProblem.conflict("\(key.subnet) was written in this very moment; look at it again")
        }
    }
}

extension ChangeRoutes {
    private var config: ConfigReading? { status.read { $0.config } }

    private static func check(_ request: Request) throws(APIProblem) {
        _ = try QueryParameters(request.uri.query, allowing: [])
        try AcceptHeader(request).require("application/json")
    }

    /// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), with or without its quotation marks. Long enough
    /// that nobody guesses it: whoever knows it can have the lease's token.
    private static func idempotencyKey(_ request: Request) throws(APIProblem) -> String? {
        guard let name = HTTPField.Name("Idempotency-Key"), let text = request.headers[name] else { return nil }
        let isQuoted = text.count >= 2 && text.hasPrefix("\"") && text.hasSuffix("\"")
        let key = isQuoted ? String(text.dropFirst().dropLast()) : text
        guard (16...255).contains(key.utf8.count),
            key.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") })
        else {
            throw .badParameter(
                "Idempotency-Key",
                "the header Idempotency-Key must be 16 to 255 visible characters that nobody can guess, such as a UUID")
        }
        return key
    }

    private func requireLeases() throws(APIProblem) {
        let (isComplete, problem) = status.read { ($0.leases.isComplete, $0.feedProblem) }
        guard isComplete else { throw .notReady(problem) }
    }

    /// By its IPv4 subnet alone, a lease of a dual-stack network is meant as well: also one that the feed has not told
    /// of yet, as whoever asks may have it from another authority.
    private func known(_ key: SubnetKey) async throws -> SubnetKey {
        guard key.ipv6Subnet == nil, key.subnet != .noIPv4 else { return key }
        let (isComplete, isKnown, config) = status.read { ($0.leases.isComplete, $0.leases[key] != nil, $0.config) }
        if isKnown { return key }
        if isComplete {
            if let lease = try catalog.current().lease(of: key.subnet) { return lease.key }
            if case .valid(let config)? = config, config.ipv6 == nil { return key }
        }
        return try await asked { try await authority.lease(of: key.subnet) }?.key ?? key
    }

    private static func nobody(_ key: SubnetKey) throws(APIProblem) -> Response {
        throw .notFound("nobody has \(key.subnet); POST /v1/leases leases a subnet")
    }

    private static func forbidden(_ detail: String) -> APIProblem {
        APIProblem(status: .forbidden, title: "Forbidden", detail: detail, parameter: "token")
    }

    private func asked<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch let error as LeaseStoreError {
            throw APIProblem(error)
        } catch let refusal as LeaseRefusal {
            throw APIProblem(refusal, configKey: status.configKey)
        }
    }

    private func answer(
        _ lease: Lease, _ code: HTTPResponse.Status, until: MonotonicTime? = nil, token: String? = nil
    ) -> Response {
        let own = status.read { $0.lease?.key }
        var text = JSONText(capacity: 512)
        text.lease(
            lease, isLocal: lease.key == own, life: until.map { LeaseLife(remaining: $0 - status.clock.now) },
            token: token)
        var headers: HTTPFields = [
            .eTag: EntityTag("\(lease.modRevision)").description, .cacheControl: "no-store",
            .contentType: "application/json",
        ]
        if code == .created { headers[.location] = "/v1/leases/\(lease.key)" }
        return Response(status: code, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: text.bytes)))
    }
}
