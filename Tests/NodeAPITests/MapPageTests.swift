// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import HummingbirdTesting
import Testing

@testable import NodeAPI

/// The page as it is sent; what it does is tried in a browser, by BrowserTests.
@Suite struct MapPageTests {
    @Test func `the page is one document in which only its own style and script may run`() async throws {
        let answer = try await APIScene().get("/")
        #expect(answer.status == .ok)
        #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
        let policy = try #require(answer.headers[.contentSecurityPolicy])
        let nonce = try #require(policy.firstMatch(of: /script-src 'nonce-([0-9a-f]{32})'/)).1
        #expect(policy.hasPrefix("default-src 'none'; "))
        for rule in [
            "style-src 'nonce-\(nonce)'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
            "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
        ] {
            #expect(policy.contains("; \(rule)"), "\(rule)")
        }
        for word in ["unsafe", "http:", "https:", "*"] { #expect(!policy.contains(word)) }

        let text = answer.text
        #expect(text.matches(of: /<script/).count == 1)
        #expect(text.contains("<script nonce=\"\(nonce)\">"))
        #expect(text.matches(of: /<style/).count == 1)
        #expect(text.contains("<style nonce=\"\(nonce)\">"))
        #expect(!text.contains("{{"))
        #expect(text.hasSuffix("</html>\n"))
    }

    @Test func `the page asks nobody but the daemon, and no text becomes markup or code`() async throws {
        let text = try await APIScene().get("/").text
        #expect(text.matches(of: /(src|href)="(?!data:|#)/).isEmpty)
        #expect(text.matches(of: /https?:\/\/(?!www\.w3\.org\/2000\/svg)/).isEmpty)
        for word in [
            "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc",
            "localStorage", "sessionStorage", "document.cookie", " style=\"", " onclick",
        ] {
            #expect(!text.contains(word), "\(word)")
        }
    }

    @Test func `each answer has a nonce of its own`() async throws {
        let scene = try APIScene()
        let first = try await scene.get("/")
        let second = try await scene.get("/")
        #expect(first.headers[.contentSecurityPolicy] != second.headers[.contentSecurityPolicy])
        #expect(first.text != second.text)
        #expect(first.headers[.cacheControl] == "no-store")
    }

    @Test func `a HEAD has the page's headers and nothing behind them`() async throws {
        let answer = try await APIScene().get("/", method: .head)
        #expect(answer.status == .ok)
        #expect(answer.headers[.contentSecurityPolicy] != nil)
        #expect(answer.text.isEmpty)
    }

    @Test func `a nonce has all its digits, also where the number begins with zeros`() {
        struct Few: RandomNumberGenerator {
            mutating func next() -> UInt64 { 0xAB }
        }
        var few = Few()
        #expect(MapPage.nonce(using: &few) == "00000000000000ab00000000000000ab")
    }
}
