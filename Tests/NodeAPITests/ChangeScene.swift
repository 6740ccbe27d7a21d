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
import Testing

@testable import NodeAPI

/// Endpoints that change a store in memory, each with a status that follows it, as a daemon's does.
struct ChangeScene {
    let store: InMemoryLeaseStore
    /// Authorities that know nothing of each other.
    let servers: [NodeAPIServer]
    let statuses: [NodeStatus]

    static func run(
        config: ConfigReading? = nil, authorities: Int = 1, _ body: (ChangeScene) async throws -> Void
    ) async throws {
        let store = InMemoryLeaseStore(config: try config ?? .valid(LeaseFixtures.config()))
        // Not one that drops everything: Hummingbird keeps a request's id in its logger.
        var quiet = Logger(label: "test")
        quiet.logLevel = .critical
        let logger = quiet
        let statuses = (0..<authorities).map { _ in NodeStatus(node: NodeID("authority"), clock: MonotonicClock()) }
        let servers = statuses.map {
            NodeAPIServer(status: $0, store: store, listen: .none, version: "1", leaseTTL: .seconds(60), logger: logger)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            for (status, server) in zip(statuses, servers) {
                let inbox = LeaseHolderInbox()
                let bystander = LeaseBystander(store: store, status: status, inbox: inbox, logger: logger)
                let watcher = PeerWatcher(
                    store: store, status: status, holder: inbox, reconciler: ReconcilerInbox(), logger: logger)
                group.addTask { try await bystander.run() }
                group.addTask { try await watcher.run() }
                group.addTask { await server.authority.run() }
                try await wait("the leases are known") { status.read { $0.leases.isComplete && $0.config != nil } }
            }
            try await body(ChangeScene(store: store, servers: servers, statuses: statuses))
        }
    }

    static func wait(_ what: String, _ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !condition() {
            guard .now < deadline else { throw TooLate(what: what) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    struct TooLate: Error {
        let what: String
    }

    /// Until every authority has heard what the store knows.
    func settle() async throws {
        for status in statuses {
            try await Self.wait("the feed says it") {
                let leases = Set(store.leases)
                return status.read { Set($0.leases.leases) == leases }
            }
        }
    }

    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, headers: HTTPFields = [:],
        at authority: Int = 0
    ) async throws -> TestResponse {
        var headers = headers
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        let fields = headers
        return try await servers[authority].application().test(.router) { client in
            try await client.executeRequest(
                uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) })
        }
    }

    func lease(_ node: String, _ ip: String, _ more: String = "", at authority: Int = 0) async throws -> LeaseDocument {
        let response = try await ask(
            .post, "/v1/leases", #"{"node":"\#(node)","publicIP":"\#(ip)"\#(more)}"#, at: authority)
        #expect(response.status == .created, "\(response.text)")
        return try response.document()
    }

    static func path(_ lease: LeaseDocument) -> String { "/v1/leases/\(lease.subnet.replacing("/", with: "-"))" }
}
