// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Etcd
import Foundation
import Lab
import Testing

/// Passwords and certificates.
@Suite(.enabled(if: !EtcdVersion.all.isEmpty, EtcdVersion.reason))
struct AccessTests {
    private let keys = KeyRange(prefix: "/tartan/")

    /// An etcd with a root, and a user `node` who may use `/tartan/`; simple tokens die after a second.
    private func withUsers(
        _ version: EtcdVersion, _ body: (EtcdCluster, EtcdUser) async throws -> Void
    ) async throws {
        try await EtcdCluster.with(
            binaries: version.binaries,
            configure: { settings, _ in settings.options += ["--auth-token-ttl", "1", "--bcrypt-cost", "4"] }
        ) { cluster in
            let etcd = cluster.only
            try await etcd.control("user", "add", "root:rootpw")
            try await etcd.control("user", "grant-role", "root", "root")
            try await etcd.control("user", "add", "node:secret")
            try await etcd.control("role", "add", "node")
            try await etcd.control("role", "grant-permission", "node", "--prefix=true", "readwrite", "/tartan/")
            try await etcd.control("user", "grant-role", "node", "node")
            try await etcd.control("auth", "enable")
            let file = "\(cluster.directory.path)/password"
            try "secret\n".write(toFile: file, atomically: true, encoding: .utf8)
            try await body(cluster, EtcdUser(name: "node", passwordFile: file))
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a user reads and writes, also after its token has expired`(version: EtcdVersion) async throws {
        try await withUsers(version) { cluster, user in
            let client = try cluster.client(user: user)
            let mark = try await client.mark(keys)
            try await client.put("/tartan/k", bytes("1"))
            #expect(client.counters.requests["/v3/auth/authenticate"] == 1)
            try await Task.sleep(for: .milliseconds(2500))
            let renewed = Transaction(when: [], then: [.put(key: "/tartan/k", value: bytes("2"), lease: 0)])
            #expect(try await client.transact(renewed).succeeded)
            #expect(client.counters.requests["/v3/auth/authenticate"] == 2)

            // A watch with an expired token is told "permission denied", not that the token is old.
            try await Task.sleep(for: .milliseconds(2500))
            let seen = Collected(client.watch(keys, after: mark))
            try await eventually("what happened is seen") { seen.all.events.count == 2 }
            // Once open it outlives the token.
            try await Task.sleep(for: .milliseconds(2500))
            try await client.put("/tartan/k", bytes("3"))
            try await eventually("what happens is seen") { seen.all.events.count == 3 }
            #expect(seen.all.interruptions.count <= 1)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `what a user may not do is refused, for an operator to mend`(version: EtcdVersion) async throws {
        try await withUsers(version) { cluster, user in
            let client = try cluster.client(user: user)
            let error = await #expect(throws: EtcdError.self) { try await client.put("/other", []) }
            #expect(error?.code == .permissionDenied)
            #expect(error?.needsOperator == true && error?.isMembersTrouble == false)
            #expect(error?.description.contains("--etcd-prefix") == true)
            let seen = Collected(client.watch(KeyRange(prefix: "/other/"), after: try await client.mark(keys)))
            try await eventually("the watch is refused") { seen.all.interruptions.count >= 2 }
            #expect(seen.all.interruptions.allSatisfy { $0.code == .permissionDenied }, "\(seen.all)")
            #expect(seen.all.openings == 0)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `wrong passwords, missing files and missing names are told apart`(version: EtcdVersion) async throws {
        try await withUsers(version) { cluster, user in
            let file = "\(cluster.directory.path)/wrong"
            try "wrong".write(toFile: file, atomically: true, encoding: .utf8)
            let wrong = try cluster.client(user: EtcdUser(name: "node", passwordFile: file))
            let refused = await #expect(throws: EtcdError.self) { try await wrong.range(RangeRequest(keys)) }
            #expect(refused?.code == .invalidArgument && refused?.needsOperator == true)
            #expect(refused?.description.contains("authentication failed") == true)
            // The file is read again for the next try.
            try "secret".write(toFile: file, atomically: true, encoding: .utf8)
            _ = try await wrong.range(RangeRequest(keys))

            let missing = try cluster.client(user: EtcdUser(name: "node", passwordFile: file + "x"))
            let unread = await #expect(throws: EtcdError.self) { try await missing.range(RangeRequest(keys)) }
            #expect(unread?.description.contains(file + "x") == true && unread?.needsOperator == true)

            let nobody = try cluster.client()
            let unnamed = await #expect(throws: EtcdError.self) { try await nobody.range(RangeRequest(keys)) }
            #expect(unnamed?.needsOperator == true)
            #expect(unnamed?.description.contains("--etcd-username") == true, "\(unnamed as Any)")
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `a user is no hindrance where etcd asks for none, and is named once it does`(
        version: EtcdVersion
    ) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let file = "\(cluster.directory.path)/password"
            try "secret".write(toFile: file, atomically: true, encoding: .utf8)
            let client = try cluster.client(user: EtcdUser(name: "root", passwordFile: file))
            for _ in 0..<3 { _ = try await client.range(RangeRequest(keys)) }
            #expect(client.counters.requests["/v3/auth/authenticate"] == 1)
            try await cluster.only.control("user", "add", "root:secret")
            try await cluster.only.control("user", "grant-role", "root", "root")
            try await cluster.only.control("auth", "enable")
            _ = try await client.range(RangeRequest(keys))
            #expect(client.counters.requests["/v3/auth/authenticate"] == 2)
        }
    }

    @Test(arguments: EtcdVersion.all)
    func `etcd over TLS asks for our certificate and is asked for its own`(version: EtcdVersion) async throws {
        let directory = try TemporaryDirectory("tls")
        defer { directory.remove() }
        let address = Loopback.address()
        try await makeCertificates(in: directory, for: address)
        try await EtcdCluster.with(
            binaries: version.binaries,
            configure: { settings, _ in
                settings.address = address
                var tls = EtcdTLS(
                    caFile: "\(directory.path)/ca.pem", certFile: "\(directory.path)/server.pem",
                    keyFile: "\(directory.path)/server.key")
                tls.asksClients = true
                tls.clientCertFile = "\(directory.path)/client.pem"
                tls.clientKeyFile = "\(directory.path)/client.key"
                settings.tls = tls
            }
        ) { cluster in
            var tls = CurlTLS(caFile: "\(directory.path)/ca.pem")
            let unproven = try cluster.client(tls: tls)
            await #expect(throws: EtcdError.self) { try await unproven.range(RangeRequest(keys)) }
            tls.certFile = "\(directory.path)/client.pem"
            tls.keyFile = "\(directory.path)/client.key"
            let client = try cluster.client(tls: tls)
            let seen = Collected(client.watch(keys, after: try await client.mark(keys)))
            try await client.put("/tartan/k", bytes("1"))
            try await eventually("the event") { seen.all.events == ["put /tartan/k=1"] }
            #expect(try await cluster.only.control("get", "--print-value-only", "/tartan/k") == "1\n")

            tls.caFile = nil
            let doubting = try cluster.client(tls: tls)
            let error = await #expect(throws: EtcdError.self) { try await doubting.range(RangeRequest(keys)) }
            guard case .transport(.tls)? = error?.cause else {
                Issue.record("\(error as Any)")
                return
            }
            #expect(error?.needsOperator == true)
        }
    }

    private func makeCertificates(in directory: TemporaryDirectory, for address: String) async throws {
        let script = """
            cd "$1"
            key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
            openssl req -x509 $key -days 2 -subj /CN=ca -keyout ca.key -out ca.pem
            echo "subjectAltName=IP:$2" > ext
            for name in server client; do
                openssl req $key -subj "/CN=$name" -keyout $name.key -out $name.csr
                openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext \\
                    -out $name.pem
            done
            """
        let log = "\(directory.path)/log"
        let maker = try await ChildProcess.start(["sh", "-ec", script, "sh", directory.path, address], log: log)
        try #require(await maker.ended() == 0, "\((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
    }
}
