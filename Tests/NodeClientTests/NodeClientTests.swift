// SPDX-License-Identifier: Apache-2.0

import APISchema
import FoundationEssentials
import Testing

@testable import NodeClient

/// The client against answers written by hand.
@Suite struct NodeClientTests {
    private func client(_ answers: String...) throws -> (NodeClient, ScriptedServer) {
        let server = try ScriptedServer(answers)
        return (NodeClient(server: try ServerAddress(parsing: "127.0.0.1:\(server.port)")), server)
    }

    private func answer(_ status: String, type: String = "application/json", _ body: String) -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            + body
    }

    private func json(_ document: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(document), as: UTF8.self)
    }

    @Test func `all pages of the leases are one list`() async throws {
        let first = LeaseListDocument(revision: "12", items: [.example], continue: "t=1")
        var second = LeaseListDocument(revision: "12", items: [.example])
        second.items[0].subnet = "10.244.21.0/24"
        let (client, server) = try client(answer("200 OK", try json(first)), answer("200 OK", try json(second)))
        defer { server.stop() }
        let list = try await client.leases()
        #expect(list.items.map(\.subnet) == ["10.244.20.0/24", "10.244.21.0/24"])
        #expect(list.continue == nil)
        #expect(
            server.requests.map { $0.prefix { $0 != "\r\n" } } == [
                "GET /v1/leases HTTP/1.1", "GET /v1/leases?continue=t%3D1 HTTP/1.1",
            ])
    }

    @Test func `a problem is the error, in the daemon's own sentence`() async throws {
        let problem = ProblemDocument(title: "Conflict", status: 409, detail: "10.244.20.0/24 is n2's now")
        let (client, server) = try client(answer("409 Conflict", type: "application/problem+json", try json(problem)))
        defer { server.stop() }
        let error = await #expect(throws: NodeClientError.self) { try await client.release(.example) }
        #expect(error == .refused(problem))
        #expect(error?.description == "10.244.20.0/24 is n2's now")
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("DELETE /v1/leases/10.244.20.0-24 "))
        #expect(request.contains("If-Match: \"12\"\r\n"))
    }

    @Test func `a lease that nobody has is no error`() async throws {
        let problem = ProblemDocument(title: "Not found", status: 404, detail: "nobody")
        let (client, server) = try client(answer("404 Not Found", type: "application/problem+json", try json(problem)))
        defer { server.stop() }
        #expect(try await client.lease("10.244.20.0-24") == nil)
    }

    @Test func `a server that is no daemon is told apart from one that does not answer`() async throws {
        let (client, server) = try client(answer("200 OK", type: "text/html", "<html>"))
        let strange = await #expect(throws: NodeClientError.self) { try await client.node() }
        #expect(strange?.description.contains("does not answer like a tartand") == true)
        server.stop()
        let absent = await #expect(throws: NodeClientError.self) { try await client.node() }
        #expect(absent?.status == nil)
        #expect(absent?.description.contains("no daemon answers at http://127.0.0.1:\(server.port)") == true)
    }

    @Test func `a watch goes on behind the last event when its connection breaks`() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        let list = try json(LeaseListDocument(revision: "12", items: []))
        let lease = try json(LeaseDocument.example)
        let (client, server) = try client(
            head + "event: snapshot\nid: 12\ndata: \(list)\n\nevent: added\nid: 13\ndata: \(lease)\n\nid: 14\ndata: {",
            head + "event: novelty\ndata: {}\n\nevent: removed\nid: 15\ndata: \(lease)\n\n")
        defer { server.stop() }
        var told: [String] = []
        for try await notice in client.watchLeases() {
            switch notice {
            case .snapshot(let list): told.append("snapshot \(list.revision)")
            case .added(let lease, let revision): told.append("added \(lease.subnet) \(revision ?? "-")")
            case .updated: told.append("updated")
            case .removed(let lease, let revision): told.append("removed \(lease.subnet) \(revision ?? "-")")
            case .interrupted: told.append("interrupted")
            }
            if told.count == 4 { break }
        }
        #expect(told == ["snapshot 12", "added 10.244.20.0/24 13", "interrupted", "removed 10.244.20.0/24 15"])
        #expect(!server.requests[0].contains("Last-Event-ID"))
        #expect(server.requests[1].contains("Last-Event-ID: 13\r\n"))
    }

    @Test func `a watch that never began ends with the reason`() async throws {
        let (client, server) = try client()
        server.stop()
        await #expect(throws: NodeClientError.self) {
            for try await _ in client.watchLeases() { Issue.record("nothing can come") }
        }
    }
}
