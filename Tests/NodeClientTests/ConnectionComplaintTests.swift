// SPDX-License-Identifier: Apache-2.0

import APISchema
import CurlHTTP
import Foundation
import Testing

@testable import NodeClient

@Suite struct ConnectionComplaintTests {
    @Test(arguments: [
        ("SSL certificate problem: unable to get local issuer certificate", "an authority that is not known here"),
        ("SSL certificate problem: self-signed certificate in certificate chain", "give it with --ca"),
        ("SSL certificate problem: certificate has expired", "has expired; it needs a new one"),
        ("SSL: no alternative certificate subject name matches target host name 'x'", "for another name"),
        ("error:0A00010B:SSL routines::wrong version number", "speaks no TLS"),
        (
            "error:0A000415:SSL routines::sslv3 alert certificate expired",
            "refuses the certificate of --cert, which has expired"
        ),
        ("error:0A000418:SSL routines::tlsv1 alert unknown ca", "--api-client-cafile"),
        ("cannot read /x: No such file", "cannot read /x: No such file"),
    ])
    func `what is wrong with a certificate is told in our words`(reason: String, sentence: String) throws {
        let server = try ServerAddress(parsing: "https://n1:9470")
        let error = NodeClientError.unreachable(.tls(endpoint: "n1:9470", reason: reason), server: server)
        #expect(error.description.contains(sentence), "\(error)")
        #expect(error.description.contains("https://n1:9470"), "\(error)")
    }

    @Test func `clear text to a server that may want TLS is told so`() throws {
        let server = try ServerAddress(parsing: "http://n1:9470")
        let error = NodeClientError.unreachable(.closed(endpoint: "n1:9470", reason: "Empty reply"), server: server)
        #expect(error.description.contains("if it speaks TLS, give https://"))
    }

    @Test func `who is not known hears what to give`() {
        let problem = ProblemDocument(title: "Not authenticated", status: 401, detail: "it is not known who asks")
        #expect(NodeClientError.refused(problem).description.contains("--token-file"))
    }

    @Test(arguments: [
        ("http://127.0.0.1:9470", true), ("http://localhost:9470", true), ("http://[::1]:9470", true),
        ("unix:/x", true),
        ("https://n1", true), ("http://n1", false), ("http://127.evil.example", false), ("http://10.0.0.1", false),
        ("http://localhost.evil.example", false),
    ])
    func `a token is sent only where nobody else reads it`(server: String, isSafe: Bool) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "tartan-token-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("# mine\n\n  0123456789abcdef \r\nsecond-0123456789\n".utf8).write(to: file)
        let access = NodeAccess(tokenFile: file.path())
        var request = CurlRequest(url: "http://x")
        let address = try ServerAddress(parsing: server)
        if isSafe {
            try access.authorize(&request, for: address)
            #expect(request.headers == [CurlHeader("Authorization", "Bearer 0123456789abcdef")])
        } else {
            let error = #expect(throws: NodeClientError.self) { () throws -> Void in
                try access.authorize(&request, for: address)
            }
            #expect(error?.description.contains("give https://") == true)
            #expect(request.headers.isEmpty)
        }
    }

    @Test func `a token file that is not there, or has none, is named`() throws {
        var request = CurlRequest(url: "http://x")
        let empty = FileManager.default.temporaryDirectory.appending(path: "tartan-token-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: empty) }
        try Data("# none yet\n".utf8).write(to: empty)
        for (file, reason) in [("/nowhere", "does not exist"), (empty.path(), "has no token")] {
            let access = NodeAccess(tokenFile: file)
            let error = #expect(throws: NodeClientError.self) { () throws -> Void in
                try access.authorize(&request, for: .standard)
            }
            #expect(error?.description == "the token file \(file) \(reason)")
        }
    }

    @Test func `the token goes with every request`() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "tartan-token-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("0123456789abcdef".utf8).write(to: file)
        let server = try ScriptedServer(["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"])
        defer { server.stop() }
        let client = NodeClient(
            server: try ServerAddress(parsing: "127.0.0.1:\(server.port)"), access: NodeAccess(tokenFile: file.path()))
        #expect(try await client.unreadiness() == nil)
        #expect(server.requests[0].contains("Authorization: Bearer 0123456789abcdef\r\n"))
    }
}
