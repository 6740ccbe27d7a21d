// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Testing

@testable import NodeAPI

@Suite struct AccessPolicyTests {
    private func verdict(
        _ policy: AccessPolicy, _ method: HTTPRequest.Method, _ path: String = "/v1/leases", proven: Bool = false,
        origin: String? = nil, host: String? = "127.0.0.1:9470"
    ) -> AccessPolicy.Verdict {
        policy.verdict(method, path: path, isProven: proven, origin: origin, authority: host)
    }

    @Test func `without authentication everything is allowed`() {
        for method in [HTTPRequest.Method.get, .head, .options, .post, .put, .delete, .patch] {
            #expect(verdict(AccessPolicy(), method) == .allowed)
        }
    }

    @Test(arguments: ["/v1/leases", "//", "/openapi.yaml", "/metrics", "/livezz", "/livez/", "/v1/livez"])
    func `with it, reading needs proof as well`(path: String) {
        let policy = AccessPolicy(needsProof: true)
        for method in [HTTPRequest.Method.get, .head, .post, .delete] {
            #expect(verdict(policy, method, path) == .unproven)
            #expect(verdict(policy, method, path, proven: true) == .allowed)
        }
        #expect(verdict(policy, .options, path) == .allowed)
    }

    @Test(arguments: ["/livez", "/readyz", "/healthz", "/readyz?verbose", "/"])
    func `probes and the page, which has no data, need none, but only to look`(path: String) {
        let policy = AccessPolicy(needsProof: true)
        #expect(verdict(policy, .get, path) == .allowed)
        #expect(verdict(policy, .head, path) == .allowed)
        #expect(verdict(policy, .post, path) == .unproven)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get"])
    func `whatever is not a reading method is refused where nothing can be changed`(name: String) throws {
        let method = try #require(HTTPRequest.Method(rawValue: name))
        #expect(verdict(AccessPolicy(isReadOnly: true), method) == .readOnly)
        #expect(verdict(AccessPolicy(isReadOnly: true, needsProof: true), method, proven: true) == .readOnly)
        #expect(verdict(AccessPolicy(isReadOnly: true, needsProof: true), method) == .unproven)
    }

    @Test func `a reading method is not`() {
        for method in [HTTPRequest.Method.get, .head, .options] {
            #expect(verdict(AccessPolicy(isReadOnly: true), method) == .allowed)
        }
    }

    @Test(arguments: [
        ("http://evil.example", "127.0.0.1:9470"), ("null", "127.0.0.1:9470"),
        // A name that another site's DNS turned to this host.
        ("http://evil.example:9470", "evil.example:9470"), ("http://127.0.0.1:80", "127.0.0.1:9470"),
    ])
    func `a web page of another site can't change anything where nobody need prove anything`(
        origin: String, host: String
    ) {
        #expect(verdict(AccessPolicy(), .post, origin: origin, host: host) == .foreignPage)
        #expect(verdict(AccessPolicy(), .get, origin: origin, host: host) == .allowed)
        #expect(verdict(AccessPolicy(needsProof: true), .post, proven: true, origin: origin, host: host) == .allowed)
    }

    @Test(arguments: ["evil.example:9470", "evil.example", "localhost.evil.example", "[evil]:1", ""])
    func `on loopback nobody reads under a name that a site's DNS turned to this host`(host: String) {
        let policy = AccessPolicy(isLoopback: true)
        for method in [HTTPRequest.Method.get, .head, .post, .delete] {
            #expect(verdict(policy, method, host: host) == .foreignName)
            for own in ["127.0.0.1:9470", "localhost:9470", "LOCALHOST", "[::1]:9470", nil] {
                #expect(verdict(policy, method, host: own) == .allowed)
            }
        }
        // A kubelet's probes may come under any name and learn nothing.
        #expect(verdict(policy, .get, "/readyz?verbose", host: host) == .allowed)
        #expect(verdict(AccessPolicy(needsProof: true, isLoopback: true), .get, proven: true, host: host) == .allowed)
        #expect(verdict(AccessPolicy(), .get, host: host) == .allowed)
    }

    @Test(arguments: ["127.0.0.1:9470", "localhost:9470", "localhost", "[::1]:9470", "10.0.0.7"])
    func `the endpoint's own page can`(host: String) {
        #expect(verdict(AccessPolicy(), .post, origin: "http://\(host)", host: host) == .allowed)
    }
}

@Suite struct BearerTokensTests {
    private let first = "0123456789abcdef"
    private let second = "fedcba9876543210"

    @Test func `each line is a token; comments and empty lines are none`() throws {
        let tokens = try BearerTokens(parsing: Array("# for the scripts\n\n\(first)\r\n  \(second)  \n".utf8))
        #expect(tokens.count == 2)
        for token in [first, second] {
            #expect(tokens.admit("Bearer \(token)"))
            #expect(tokens.admit("bearer  \(token)"))
        }
        for header in ["Bearer", "Bearer ", first, "Basic \(first)", "Bearer \(first)x", "Bearer 0123456789abcde", ""] {
            #expect(!tokens.admit(header), "\(header)")
        }
        #expect(!tokens.admit("Bearer \(first)\(first)"), "one that repeats the right one")
    }

    @Test(arguments: [
        ("", "has no token"), ("\n# nothing\n", "has no token"), ("short\n", "less than 16"),
        ("0123456789abcdef\nshort", "line 2"), ("0123456789 abcdef", "character"), ("0123456789abcdef\u{7F}", "line 1"),
    ])
    func `what is no token is told without telling it`(text: String, sentence: String) {
        let fault = #expect(throws: BearerTokens.Fault.self) { () throws -> Void in
            _ = try BearerTokens(parsing: Array(text.utf8))
        }
        #expect(fault?.reason.contains(sentence) == true)
        #expect(fault?.reason.contains("0123456789") == false)
    }

    @Test func `they are not printed by accident`() throws {
        let tokens = try BearerTokens(parsing: Array(first.utf8))
        var dumped = ""
        dump(tokens, to: &dumped)
        #expect(!"\(tokens) \(String(reflecting: tokens)) \(dumped)".contains(first))
    }
}

@Suite struct ReloadScheduleTests {
    @Test func `a change is taken once it has settled`() {
        var schedule = ReloadSchedule(loaded: 1)
        // What was loaded; a file that may still be written; it was; it has settled.
        let looks = [1, 2, 3, 3].map { schedule.isDue($0) }
        #expect(looks == [false, false, false, true])
        schedule.succeeded(3)
        let after = schedule.isDue(3)
        #expect(!after)
    }

    @Test func `what can't be used is tried once, until it changes again`() {
        var schedule = ReloadSchedule(loaded: 1)
        let first = [2, 2].map { schedule.isDue($0) }
        schedule.failed(2)
        let second = [2, 3, 3].map { schedule.isDue($0) }
        schedule.failed(3)
        // Back to what is in use, and once more to what was refused, which may be right by now.
        let third = [1, 3, 3].map { schedule.isDue($0) }
        #expect([first, second, third] == [[false, true], [false, false, true], [false, false, true]])
    }
}
