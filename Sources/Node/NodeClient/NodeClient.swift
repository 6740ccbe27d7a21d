// SPDX-License-Identifier: Apache-2.0

package import APISchema
import CurlHTTP
import FoundationEssentials

/// A client of one daemon's REST endpoint, as openapi.yaml describes it.
package struct NodeClient: Sendable {
    package let server: ServerAddress
    private let access: NodeAccess
    private let http: CurlClient

    package init(server: ServerAddress, access: NodeAccess = NodeAccess()) {
        self.server = server
        self.access = access
        http = CurlClient(configuration: CurlConfiguration(tls: access.tls))
    }

    /// Every lease as of one revision, by subnet; all pages of it.
    package func leases(_ filter: LeaseFilter = LeaseFilter()) async throws(NodeClientError) -> LeaseListDocument {
        var list: LeaseListDocument = try await get("/v1/leases\(filter.query())")
        while let token = list.continue {
            let page: LeaseListDocument = try await get("/v1/leases\(filter.query(continue: token))")
            list.items += page.items
            list.continue = page.continue
        }
        return list
    }

    /// One lease, with its expiry; `nil` where nobody has the subnet.
    /// - Parameter subnet: as in the lease's key, `10.244.20.0-24`.
    package func lease(_ subnet: String) async throws(NodeClientError) -> LeaseDocument? {
        do {
            return try await get("/v1/leases/\(LeaseFilter.escape(subnet))")
        } catch {
            if case .refused(let problem) = error, problem.status == 404 { return nil }
            throw error
        }
    }

    package func network() async throws(NodeClientError) -> NetworkDocument { try await get("/v1/network") }
    package func node() async throws(NodeClientError) -> NodeDocument { try await get("/v1/node") }
    /// - Parameter peers: which peers are told one by one: `all`, `differing` or `none`.
    package func dataplane(peers: String = "all") async throws(NodeClientError) -> DataplaneDocument {
        try await get("/v1/dataplane?peers=\(peers)")
    }

    package func lookup(_ ip: String) async throws(NodeClientError) -> LookupDocument {
        try await get("/v1/lookup?ip=\(LeaseFilter.escape(ip))")
    }

    /// Keeps a subnet for a node for good.
    package func reserve(
        _ subnet: String, for reservation: ReservationRequestDocument
    ) async throws(NodeClientError) -> LeaseDocument {
        try await read(
            try await exchange(.put, "/v1/reservations/\(LeaseFilter.escape(subnet))", body: reservation, headers: []))
    }

    /// Gives a lease or a reservation back, if it still is as it was read.
    package func release(_ lease: LeaseDocument) async throws(NodeClientError) {
        let name = lease.key
        let folder = lease.kind == .reservation ? "reservations" : "leases"
        _ = try await exchange(
            .delete, "/v1/\(folder)/\(LeaseFilter.escape(name))",
            headers: [CurlHeader("If-Match", "\"\(lease.modRevision)\"")])
    }

    /// Whether the daemon says that it is ready: `nil` where it is, else its reasons, a line each.
    package func unreadiness() async throws(NodeClientError) -> String? {
        let response = try await send(request(.get, "/readyz?verbose"))
        return response.status == 200 ? nil : String(decoding: response.body, as: UTF8.self)
    }

    /// Returns where a daemon answers `/livez`.
    package func checkLife() async throws(NodeClientError) {
        let response = try await send(request(.get, "/livez"))
        guard response.status == 200 else {
            throw .badAnswer(server: server, status: response.status, reason: "it does not say that it is alive")
        }
    }

    /// The leases as they change, for as long as somebody reads; see ``LeaseWatch``.
    package func watchLeases() -> LeaseWatch {
        var request = request(.get, "/v1/leases", headers: [CurlHeader("Accept", "text/event-stream")])
        // The daemon sends a comment every so often; a stream that brings not even that is broken.
        request.idleLimit = .seconds(60)
        return LeaseWatch(http: http, request: request, server: server, access: access)
    }

    private func get<Answer: Decodable>(_ path: String) async throws(NodeClientError) -> Answer {
        try await read(try await exchange(.get, path, headers: []))
    }

    private func exchange(
        _ method: CurlMethod, _ path: String, body: (any Encodable & Sendable)? = nil, headers: [CurlHeader]
    ) async throws(NodeClientError) -> CurlResponse {
        var request = request(method, path, headers: headers)
        if let body {
            do {
                request.body = Array(try JSONEncoder().encode(body))
            } catch {
                throw .badAnswer(server: server, status: 0, reason: "the request can't be written as JSON: \(error)")
            }
            request.headers.append(CurlHeader("Content-Type", "application/json"))
        }
        let response = try await send(request)
        guard (200..<300).contains(response.status) else {
            throw Self.refusal(status: response.status, body: response.body, server: server)
        }
        return response
    }

    private func request(_ method: CurlMethod, _ path: String, headers: [CurlHeader] = []) -> CurlRequest {
        CurlRequest(
            method: method, url: server.base + path, headers: headers, timeout: .seconds(15),
            repeatable: method == .get, unixSocketPath: server.socketPath)
    }

    private func send(_ request: CurlRequest) async throws(NodeClientError) -> CurlResponse {
        var request = request
        try access.authorize(&request, for: server)
        do {
            return try await http.send(request)
        } catch {
            throw .unreachable(error, server: server)
        }
    }

    private func read<Answer: Decodable>(_ response: CurlResponse) async throws(NodeClientError) -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(response.body))
        } catch {
            throw .badAnswer(server: server, status: response.status, reason: "its JSON lacks what it should have")
        }
    }

    static func refusal(status: Int, body: [UInt8], server: ServerAddress) -> NodeClientError {
        if let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(body)) { return .refused(problem) }
        return .badAnswer(server: server, status: status, reason: "it gives no reason")
    }
}

extension LeaseDocument {
    /// The subnet as the lease's key in etcd and the endpoint's paths have it: `10.244.20.0-24`.
    package var key: String {
        // Without IPv4 nothing stands in its place, in flannel's form.
        let parts = [subnet == ipv6Subnet ? "0.0.0.0/0" : subnet, ipv6Subnet].compactMap(\.self)
        return parts.map { String($0.map { $0 == "/" ? "-" : $0 }) }.joined(separator: "&")
    }
}
