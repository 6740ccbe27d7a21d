// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Foundation
import Lab
import Testing

/// Against `openssl s_server`, which answers every GET with a page about the connection.
@Suite(.enabled(if: TLSFixture.openssl != nil, "no openssl in PATH; Debian has it in the package openssl"))
struct TLSTests {
    @Test func `a server of the given authority is believed`() async throws {
        try await TLSFixture.with { fixture, server in
            let client = CurlClient(configuration: CurlConfiguration(tls: CurlTLS(caFile: fixture.path("ca.pem"))))
            let response = try await client.send(CurlRequest(url: server.url))
            #expect(response.status == 200)
            #expect(String(decoding: response.body, as: UTF8.self).contains("TLSv1.3"))
        }
    }

    @Test func `a server of another authority is not, nor one without a known authority`() async throws {
        try await TLSFixture.with { fixture, server in
            for tls in [CurlTLS(caFile: fixture.path("other-ca.pem")), CurlTLS()] {
                let client = CurlClient(configuration: CurlConfiguration(tls: tls))
                let error = await #expect(throws: CurlError.self) {
                    try await client.send(CurlRequest(url: server.url))
                }
                #expect(error?.kind == "tls")
                #expect(error?.description.contains("certificate") == true)
                #expect(error?.mayHaveBeenSent == false)
            }
        }
    }

    @Test func `a certificate for another name is not believed`() async throws {
        try await TLSFixture.with { fixture, server in
            let client = CurlClient(configuration: CurlConfiguration(tls: CurlTLS(caFile: fixture.path("ca.pem"))))
            let error = await #expect(throws: CurlError.self) {
                try await client.send(CurlRequest(url: "https://localhost:\(server.port)/"))
            }
            #expect(error?.kind == "tls")
        }
    }

    @Test func `a server that asks for our certificate gets it`() async throws {
        try await TLSFixture.with(asksClients: true) { fixture, server in
            var tls = CurlTLS(caFile: fixture.path("ca.pem"))
            let without = CurlClient(configuration: CurlConfiguration(tls: tls))
            let error = await #expect(throws: CurlError.self) {
                try await without.send(CurlRequest(url: server.url))
            }
            // Its alert, or where that is lost over the closing of the connection, what the closing may mean.
            #expect(["tls", "closed"].contains(error?.kind), "\(error as Any)")
            #expect(error?.description.contains("this client's certificate, or wants one") == true, "\(error as Any)")
            #expect(error?.mayHaveBeenSent == (error?.kind == "closed"))
            tls.certFile = fixture.path("client.pem")
            tls.keyFile = fixture.path("client.key")
            let client = CurlClient(configuration: CurlConfiguration(tls: tls))
            let response = try await client.send(CurlRequest(url: server.url))
            let page = String(decoding: response.body, as: UTF8.self).replacing(" ", with: "")
            #expect(page.contains("Subject:CN=client"))
        }
    }

    @Test func `rotated files are used for the next request`() async throws {
        try await TLSFixture.with(asksClients: true) { fixture, server in
            let tls = CurlTLS(
                caFile: fixture.path("ca.pem"), certFile: fixture.path("now.pem"), keyFile: fixture.path("now.key"))
            try fixture.rotate("client")
            let client = CurlClient(configuration: CurlConfiguration(tls: tls))
            func subject() async throws -> String {
                let body = try await client.send(CurlRequest(url: server.url)).body
                return String(decoding: body, as: UTF8.self).replacing(" ", with: "")
            }
            #expect(try await subject().contains("Subject:CN=client"))
            try fixture.rotate("second")
            #expect(try await subject().contains("Subject:CN=second"))
            try fixture.rotate("client")
            #expect(try await subject().contains("Subject:CN=client"))
        }
    }

    @Test func `a file that can't be read, or is no certificate, is named or told`() async throws {
        try await TLSFixture.with { fixture, server in
            let missing = fixture.path("missing.pem")
            let client = CurlClient(configuration: CurlConfiguration(tls: CurlTLS(caFile: missing)))
            let error = await #expect(throws: CurlError.self) { try await client.send(CurlRequest(url: server.url)) }
            #expect(error?.kind == "tls")
            #expect(error?.description.contains("cannot read \(missing): No such file") == true)

            let junk = fixture.path("junk.pem")
            try "junk".write(toFile: junk, atomically: true, encoding: .utf8)
            let other = CurlClient(configuration: CurlConfiguration(tls: CurlTLS(caFile: junk)))
            let fault = await #expect(throws: CurlError.self) { try await other.send(CurlRequest(url: server.url)) }
            #expect(fault?.kind == "tls")
        }
    }

    @Test func `clear text to a server that wants TLS is no answer`() async throws {
        try await TLSFixture.with { _, server in
            await #expect(throws: CurlError.self) {
                try await CurlClient().send(CurlRequest(url: "http://127.0.0.1:\(server.port)/"))
            }
        }
    }
}

/// Certificates in a temporary directory.
struct TLSFixture {
    struct Server {
        let port: UInt16
        var url: String { "https://127.0.0.1:\(port)/" }
    }

    let directory: TemporaryDirectory

    static let openssl: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
        .map { "\($0)/openssl" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    func path(_ name: String) -> String { "\(directory.path)/\(name)" }

    /// Puts another certificate and key in the place of those in use, as a tool would that renews them.
    func rotate(_ name: String) throws {
        for ending in ["pem", "key"] {
            try FileManager.default.copyItem(atPath: path("\(name).\(ending)"), toPath: path("new.\(ending)"))
            try #require(rename(path("new.\(ending)"), path("now.\(ending)")) == 0)
        }
    }

    static func with(asksClients: Bool = false, _ body: (TLSFixture, Server) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("tls")
        defer { directory.remove() }
        let fixture = TLSFixture(directory: directory)
        let log = fixture.path("log")
        let maker = try await ChildProcess.start(["sh", "-ec", script, "sh", directory.path], log: log)
        try #require(await maker.ended() == 0, "\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let port = try ScriptedServer.bindToFreePort(probe)
        close(probe)
        var command = [
            "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", fixture.path("server.pem"), "-key",
            fixture.path("server.key"), "-www",
        ]
        if asksClients { command += ["-CAfile", fixture.path("ca.pem"), "-Verify", "1", "-verify_return_error"] }
        let server = try await ChildProcess.start(command, log: log)
        try await eventually("openssl listens") {
            (try? String(contentsOfFile: log, encoding: .utf8).contains("ACCEPT")) == true || !server.isRunning
        }
        do {
            try await body(fixture, Server(port: port))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private static let script = """
        cd "$1"
        make_ca() {
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                -subj "/CN=$1" -keyout "$1.key" -out "$1.pem"
        }
        make_cert() {
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
                -keyout "$1.key" -out "$1.csr"
            echo "subjectAltName=IP:127.0.0.1" > "$1.ext"
            openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                -extfile "$1.ext" -out "$1.pem"
        }
        make_ca ca
        make_ca other-ca
        for name in server client second; do make_cert "$name"; done
        """
}
