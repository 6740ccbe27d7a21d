// SPDX-License-Identifier: Apache-2.0

import APISchema
import CurlHTTP
import Foundation
import HTTPTypes
import IPAddressing
import Leases
import TestKit
import Testing

@testable import NodeAPI

/// Who gets in, over real connections and with certificates that openssl made.
@Suite(
    .timeLimit(.minutes(1)),
    .enabled(if: Certificates.isPossible, "no openssl in PATH; Debian has it in the package openssl"))
struct AccessTests {
    private static let token = "right-token-0123456789"
    private static let other = "other-token-0123456789"

    private func files(_ made: Certificates, clients: Bool = false, tokens: Bool = false) throws -> AccessFiles {
        for ending in ["pem", "key"] { try made.replace("now.\(ending)", with: "server.\(ending)") }
        if tokens { try made.write(Self.token + "\n", to: "tokens") }
        return AccessFiles(
            certificate: made.path("now.pem"), key: made.path("now.key"),
            clientAuthorities: clients ? made.path("ca.pem") : nil, tokens: tokens ? made.path("tokens") : nil)
    }

    private func scene(_ files: AccessFiles, _ log: CapturedLog = CapturedLog()) throws -> APIScene {
        var scene = try APIScene(
            leases: APIScene.leases(3), listeners: [APIListener(ListeningTests.anyPort)], access: APIAccess(files),
            logger: log.logger)
        scene.server.reloadInterval = .milliseconds(20)
        return scene
    }

    /// One request over a connection of its own.
    private func ask(
        _ address: ListenAddress, _ path: String = "/v1/leases", tls: CurlTLS? = nil, token: String? = nil,
        method: CurlMethod = .get
    ) async throws -> CurlResponse {
        let client = CurlClient(configuration: CurlConfiguration(tls: tls))
        let headers = token.map { [CurlHeader("Authorization", "Bearer \($0)")] } ?? []
        let base = if case .unix = address { "http://tartan" } else { "\(tls == nil ? "http" : "https")://\(address)" }
        var request = CurlRequest(method: method, url: base + path, headers: headers)
        if case .unix(let path) = address { request.unixSocketPath = path }
        return try await client.send(request)
    }

    private func problem(_ response: CurlResponse) throws -> ProblemDocument {
        #expect(response.headers["Content-Type"] == "application/problem+json")
        return try JSONDecoder().decode(ProblemDocument.self, from: Data(response.body))
    }

    @Test func `a client that trusts the authority is answered, one that trusts another is not`() async throws {
        try await Certificates.with { made in
            try await Running.run(try scene(try files(made))) { address async throws in
                #expect(try await ask(address, tls: made.tls()).status == 200)
                await #expect(throws: CurlError.self) { try await ask(address, tls: made.tls(authority: "other")) }
                await #expect(throws: CurlError.self) { try await ask(address) }
            }
        }
    }

    @Test func `a client certificate is needed, and none but a right one gets in`() async throws {
        try await Certificates.with { made in
            try await Running.run(try scene(try files(made, clients: true))) { address async throws in
                #expect(try await ask(address, tls: made.tls(client: "client")).status == 200)
                for client in ["expired", "stranger"] {
                    await #expect(throws: CurlError.self) { try await ask(address, tls: made.tls(client: client)) }
                }
                let without = try await ask(address, tls: made.tls())
                #expect(without.status == 401)
                #expect(without.headers["WWW-Authenticate"] == "Certificate realm=\"tartan\"")
                #expect(try problem(without).detail.contains("--api-client-cafile"))
                #expect(try await ask(address, "/livez", tls: made.tls()).status == 200)
                let token = try await ask(address, tls: made.tls(), token: Self.token)
                #expect(token.status == 401)
            }
        }
    }

    @Test func `a token or a certificate, either is enough`() async throws {
        try await Certificates.with { made in
            try await Running.run(try scene(try files(made, clients: true, tokens: true))) { address async throws in
                #expect(try await ask(address, tls: made.tls(), token: Self.token).status == 200)
                #expect(try await ask(address, tls: made.tls(client: "client")).status == 200)
                #expect(try await ask(address, tls: made.tls()).status == 401)
            }
        }
    }

    @Test func `a token is needed for everything but probes`() async throws {
        try await Certificates.with { made in
            try await Running.run(try scene(try files(made, tokens: true))) { address async throws in
                for path in ["/v1/leases", "/v1/node", "/openapi.yaml", "/nowhere", "/metrics"] {
                    let without = try await ask(address, path, tls: made.tls())
                    #expect(without.status == 401, "\(path)")
                    #expect(without.headers["WWW-Authenticate"] == "Bearer realm=\"tartan\"")
                }
                let wrong = try await ask(address, tls: made.tls(), token: Self.other)
                #expect(wrong.status == 401)
                #expect(wrong.headers["WWW-Authenticate"]?.contains("invalid_token") == true)
                #expect(try problem(wrong).detail.contains(Self.other) == false)
                #expect(try await ask(address, tls: made.tls(), token: Self.token).status == 200)
                for path in ["/livez", "/readyz", "/healthz", "/"] {
                    #expect(try await ask(address, path, tls: made.tls()).status != 401, "\(path)")
                }
                let change = try await ask(address, "/v1/leases", tls: made.tls(), method: .post)
                #expect(change.status == 401)
            }
        }
    }

    @Test func `older than TLS 1.2 is not spoken`() async throws {
        try await Certificates.with { made in
            try await Running.run(try scene(try files(made))) { address async throws in
                func greet(_ version: String) throws -> Int32 {
                    let client = Process()
                    client.executableURL = URL(filePath: "/bin/sh")
                    let command =
                        "openssl s_client -connect \(address) -CAfile \(made.path("ca.pem")) -verify_return_error "
                        + "\(version) -cipher 'DEFAULT@SECLEVEL=0' </dev/null >/dev/null 2>&1"
                    client.arguments = ["-c", command]
                    try client.run()
                    client.waitUntilExit()
                    return client.terminationStatus
                }
                #expect(try greet("-tls1_2") == 0)
                #expect(try greet("-tls1_3") == 0)
                #expect(try greet("-tls1_1") != 0)
                #expect(try greet("-tls1") != 0)
            }
        }
    }

    @Test func `a new certificate is in use for new connections, and open ones go on`() async throws {
        try await Certificates.with { made in
            let log = CapturedLog()
            let scene = try scene(try files(made), log)
            try await Running.run(scene) { address async throws in
                let client = CurlClient(configuration: CurlConfiguration(tls: made.tls()))
                let stream = try await client.stream(
                    CurlRequest(
                        url: "https://\(address)/v1/leases", headers: [CurlHeader("Accept", "text/event-stream")])
                )
                var lines = stream.lines.makeAsyncIterator()
                try await Self.read(&lines, until: "event: snapshot")

                // The certificate alone does not belong to the key: the last good one stays.
                try made.replace("now.pem", with: "next.pem")
                try await eventually { log.text.contains("can't be used") }
                #expect(log.text.contains("now.key is not the key of the certificate in"))
                #expect(try await ask(address, tls: made.tls()).status == 200)
                try made.replace("now.key", with: "next.key")
                try await eventually { try await ask(address, tls: made.tls(authority: "other")).status == 200 }
                await #expect(throws: CurlError.self) { try await ask(address, tls: made.tls()) }

                // Half a file, then none.
                try made.write("-----BEGIN CERTIFICATE-----\nMIIB", to: "now.pem")
                try await eventually { log.text.contains("now.pem has no certificate") }
                try FileManager.default.removeItem(atPath: made.path("now.pem"))
                try await eventually { log.text.contains("now.pem can't be read: No such file") }
                #expect(try await ask(address, tls: made.tls(authority: "other")).status == 200)

                // The stream that began under the first certificate hears of a new lease.
                scene.change([.lease(try LeaseFixtures.lease("10.244.77.0/24", node: 77))], revision: 99)
                try await Self.read(&lines, until: "event: added")
                await client.shutdown()
            }
            #expect(!log.text.contains("PRIVATE KEY"))
        }
    }

    @Test func `tokens change with their file, also by a link that is turned as Kubernetes does`() async throws {
        try await Certificates.with { made in
            let log = CapturedLog()
            for (name, token) in [("1", Self.token), ("2", Self.other)] {
                try FileManager.default.createDirectory(atPath: made.path(name), withIntermediateDirectories: false)
                try made.write(token, to: "\(name)/token")
            }
            try FileManager.default.createSymbolicLink(atPath: made.path("data"), withDestinationPath: "1")
            try FileManager.default.createSymbolicLink(atPath: made.path("token"), withDestinationPath: "data/token")
            var files = AccessFiles()
            files.tokens = made.path("token")
            try await Running.run(try scene(files, log)) { address async throws in
                #expect(try await ask(address, token: Self.token).status == 200)
                try FileManager.default.createSymbolicLink(atPath: made.path("new"), withDestinationPath: "2")
                try #require(rename(made.path("new"), made.path("data")) == 0)
                try await eventually { try await ask(address, token: Self.other).status == 200 }
                #expect(try await ask(address, token: Self.token).status == 401)
                try made.write("", to: "2/token")
                try await eventually { log.text.contains("has no token") }
                #expect(try await ask(address, token: Self.other).status == 200, "the last good one stays")
            }
            for token in [Self.token, Self.other] { #expect(!log.text.contains(token)) }
        }
    }

    @Test func `one listener may be read-only beside one that is not`() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/api.sock"
        let scene = try APIScene(
            leases: APIScene.leases(3),
            listeners: [APIListener(ListeningTests.anyPort, isReadOnly: true), APIListener(.unix(path: path))])
        try await Running.runAll(scene) { addresses in
            try #require(addresses.count == 2 && addresses[1] == .unix(path: path))
            for address in addresses { #expect(try await ask(address).status == 200) }
            for method in [CurlMethod.post, .put, .delete] {
                let refused = try await ask(addresses[0], "/v1/node", method: method)
                #expect(refused.status == 403)
                #expect(try problem(refused).detail.contains("--api-listen-readonly"))
                #expect(try await ask(addresses[1], "/v1/node", method: method).status == 405)
            }
        }
    }

    @Test func `where one address can't be had, none is listened on`() async throws {
        try await Running.run(try APIScene(listen: ListeningTests.anyPort)) { address async throws in
            let second = try APIScene(listeners: [APIListener(ListeningTests.anyPort), APIListener(address)])
            await #expect(throws: ListenError.portInUse(address)) {
                try await second.server.run { _ in Issue.record("it says that it listens") }
            }
        }
    }

    @Test func `files that others can read are warned of`() async throws {
        try await Certificates.with { made in
            var files = try files(made, tokens: true)
            #expect(try APIAccess(files).warnings.isEmpty)
            try made.write(Self.token, to: "tokens", mode: 0o644)
            #expect(try APIAccess(files).warnings.count == 1)
            files.certificate = made.path("expired.pem")
            files.key = made.path("expired.key")
            #expect(try APIAccess(files).warnings.contains { $0.contains("expired") })
        }
    }

    @Test(arguments: [
        ("now.pem", "server.key", AccessError.Option.certificate), ("now.key", "server.pem", .key),
        ("ca.pem", "ca.key", .clientAuthorities), ("tokens", "server.csr", .tokens), ("now.key", "next.key", .key),
    ])
    func `a file that holds something else is named`(
        name: String, content: String, option: AccessError.Option
    ) async throws {
        try await Certificates.with { made in
            let files = try files(made, clients: true, tokens: true)
            try made.replace(name, with: content)
            let error = #expect(throws: AccessError.self) { () throws -> Void in _ = try APIAccess(files) }
            #expect(error?.option == option)
            #expect("\(String(describing: error))".contains(made.path(name)))
        }
    }

    private static func read(_ lines: inout LineSequence.Iterator, until wanted: String) async throws {
        while let line = try await lines.next(isolation: nil) {
            if String(decoding: line, as: UTF8.self) == wanted { return }
        }
        Issue.record("the stream ended before '\(wanted)'")
    }

    private func eventually(_ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while (try? await condition()) != true {
            try #require(ContinuousClock.now < deadline, "not within its time")
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
