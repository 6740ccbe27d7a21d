// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import HummingbirdTesting
import Leases
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

@Suite struct HealthTests {
    @Test(arguments: ["/livez", "/healthz"])
    func `a daemon that answers is alive, ready or not`(path: String) async throws {
        let scene = try APIScene(isComplete: false)
        let response = try await scene.get(path, headers: [.accept: "image/png"])
        #expect(response.status == .ok)
        #expect(response.text == "ok")
        #expect(response.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(try await scene.get("\(path)?verbose").text.hasPrefix("[+]ping ok\n"))
    }

    @Test func `a node that is not ready says what is missing`() async throws {
        let scene = try APIScene(isComplete: false)
        let response = try await scene.get("/readyz")
        #expect(response.status == .serviceUnavailable)
        #expect(response.text.contains("[-]etcd failed: the leases have not been read yet\n"))
        #expect(response.text.hasSuffix("readyz check failed\n"))
    }

    @Test func `a node that is ready says so in a word, and in many when asked`() async throws {
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        let scene = try APIScene(leases: [lease])
        scene.hold(lease)
        #expect(try await scene.get("/readyz").text == "ok")
        #expect(
            try await scene.get("/readyz?verbose=1").text
                == "[+]ping ok\n[+]etcd ok\n[+]lease ok\n[+]dataplane ok\n[+]subnet-file ok\nreadyz check passed\n")
    }
}
