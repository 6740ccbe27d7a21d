// SPDX-License-Identifier: Apache-2.0

import APISchema
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import IPAddressing
import Leases
import Logging
import NodeAgent
import TestKit

@testable import NodeAPI

/// A node whose status the test writes, and the endpoint over it.
struct APIScene {
    let status: NodeStatus
    let store: InMemoryLeaseStore
    var server: NodeAPIServer

    init(
        config: ConfigReading? = nil, leases: [Lease] = [], revision: Int64 = 15, listen: ListenAddress = .none,
        isComplete: Bool = true, listeners: [APIListener]? = nil, access: APIAccess = APIAccess(),
        logger: Logger = Logger(label: "test"), limits: ConnectionLimits = ConnectionLimits()
    ) throws {
        let config = try config ?? .valid(LeaseFixtures.config())
        status = NodeStatus(node: NodeID("n1"), clock: MonotonicClock())
        store = InMemoryLeaseStore(config: config)
        server = NodeAPIServer(
            status: status, store: store, listeners: listeners ?? [APIListener(listen)], access: access,
            version: "1.2.3", logger: logger, limits: limits)
        status.update { $0.config = config }
        guard isComplete else { return }
        replaceLeases(leases, revision: revision)
    }

    func replaceLeases(_ leases: [Lease], revision: Int64) {
        status.update { snapshot in
            let changes = snapshot.leases.apply(LeaseFixtures.snapshot(leases, at: revision))
            snapshot.journal.record(changes, at: Revision(revision))
        }
    }

    /// As a watch tells of them.
    func change(_ records: [LeaseRecord], revision: Int64) {
        status.update { snapshot in
            let changes = snapshot.leases.apply(records, at: Revision(revision))
            snapshot.journal.record(changes, at: Revision(revision))
        }
    }

    /// 10.244.1.0/24, 10.244.2.0/24 and so on, of nodes n1, n2, ..., in an order that is not theirs.
    static func leases(_ count: Int) throws -> [Lease] {
        try (1...count).reversed().map { number in
            try LeaseFixtures.lease("10.\((244 + number / 256) % 256).\(number % 256).0/24", node: number)
        }
    }

    func test<Value>(_ body: @Sendable (any TestClientProtocol) async throws -> Value) async throws -> Value {
        try await server.application().test(.router, body)
    }

    func get(_ uri: String, headers: HTTPFields = [:], method: HTTPRequest.Method = .get) async throws -> TestResponse {
        try await test { client in
            try await client.executeRequest(uri: uri, method: method, headers: headers, body: nil)
        }
    }

    func document<Document: Decodable>(_ uri: String, as type: Document.Type = Document.self) async throws -> Document {
        try await get(uri).document()
    }
}

extension TestResponse {
    var text: String { String(buffer: body) }

    func document<Document: Decodable>(as type: Document.Type = Document.self) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(Array(buffer: body)))
    }

    func problem() throws -> ProblemDocument {
        guard headers[.contentType] == "application/problem+json" else {
            throw NotAProblem(status: status.code, text: text)
        }
        return try document()
    }
}

struct NotAProblem: Error {
    let status: Int
    let text: String
}
