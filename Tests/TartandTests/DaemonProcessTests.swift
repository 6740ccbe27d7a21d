// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Foundation
import Testing

/// What a user sees of wrong input: one sentence and the contract's exit code.
@Suite struct DaemonProcessTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A node that touches nothing of the host's.
    private func quiet(_ more: [String] = []) -> [String] {
        [
            "--dataplane", "none", "--public-ip", "192.0.2.1", "--node-name", "n1", "--state-dir", folder.path,
            "--subnet-file", "\(folder.path)/subnet.env", "--etcd-endpoints", "http://127.0.0.1:1",
            "--api-listen", "unix:\(folder.path)/api.sock",
        ] + more
    }

    private func get(_ path: String, _ http: CurlClient) async throws -> (status: Int, text: String) {
        let response = try await http.send(
            CurlRequest(url: "http://tartan\(path)", unixSocketPath: "\(folder.path)/api.sock"))
        return (response.status, String(decoding: response.body, as: UTF8.self))
    }

    @Test func `help and version are no errors`() async throws {
        let help = try await BuiltDaemon.run(["--help"])
        #expect(help.status == 0 && help.output.contains("--etcd-endpoints") && help.errors.isEmpty)
        let version = try await BuiltDaemon.run(["--version"])
        #expect(version.status == 0 && version.output == "tartand 0.1.0\n")
    }

    @Test(arguments: [
        (["--no-such-option"], 64, "--no-such-option"), (["stray"], 64, "stray"), (["--lease-ttl"], 64, "--lease-ttl"),
        (["--lease-ttl", "soon"], 64, "--lease-ttl"), (["--config", "/nowhere.yaml"], 78, "/nowhere.yaml"),
        (["--api-listen", "0.0.0.0:9470"], 78, "--api-listen"),
        (["--api-token-file", "/nowhere"], 78, "--api-token-file: /nowhere can't be read"),
        (["--api-token-file", "/dev/null"], 78, "--api-token-file: /dev/null is not a file"),
        (
            ["--api-tls-certfile", "/etc/hosts", "--api-tls-keyfile", "/nowhere"], 78,
            "--api-tls-certfile: /etc/hosts has no"
        ),
        (["--iface", "nope0", "--api-listen", "none"], 78, "nope0"),
        (["--iface-regex", "[", "--api-listen", "none"], 78, "--iface-regex"),
    ])
    func `wrong input is one sentence that names it`(arguments: [String], status: Int, named: String) async throws {
        let outcome = try await BuiltDaemon.run(arguments + ["--state-dir", folder.path])
        #expect(outcome.status == Int32(status), "\(outcome)")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 1 && lines[0].hasPrefix("tartand: ") && lines[0].contains(named), "\(outcome.errors)")
    }

    @Test func `a bad environment variable is wrong configuration`() async throws {
        let outcome = try await BuiltDaemon.run(quiet(), environment: ["TARTAN_LEASE_TTL": "soon"])
        #expect(outcome.status == 78 && outcome.errors.contains("TARTAN_LEASE_TTL"), "\(outcome)")
    }

    @Test(.enabled(if: getuid() == 0, "giving up privileges needs them"))
    func `without CAP_NET_ADMIN the host is not programmed`() async throws {
        let drop = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "--ambient-caps=-net_admin"]
        let outcome = try await BuiltDaemon.run(["--state-dir", folder.path], through: drop)
        #expect(outcome.status == 77 && outcome.errors.contains("CAP_NET_ADMIN"), "\(outcome)")
    }

    @Test(.enabled(if: getuid() == 0, "programming the host needs privileges"))
    func `a device name that is another kind of device's is wrong configuration`() async throws {
        // In a namespace of its own; it must get no further than to see that.
        let launcher = ["unshare", "-n", "sh", "-c", "ip addr add 192.0.2.1/24 dev lo && exec \"$@\"", "sh"]
        let outcome = try await BuiltDaemon.run(
            [
                "--device", "lo", "--iface", "lo", "--node-name", "n1", "--state-dir", folder.path,
                "--api-listen", "none", "--subnet-file", "\(folder.path)/subnet.env",
                "--etcd-endpoints", "http://127.0.0.1:1",
            ], through: launcher)
        #expect(outcome.status == 78 && outcome.errors.contains("'lo' is not a VXLAN device"), "\(outcome)")
    }

    @Test(.enabled(if: getuid() == 0, "programming the host needs privileges"))
    func `a host that can't be asked makes the service unavailable, which is no bug`() async throws {
        // Enough for the libraries, which are opened one by one, and too few for the kernel's socket.
        let outcome = try await BuiltDaemon.run(
            ["--state-dir", folder.path, "--api-listen", "none"], through: ["prlimit", "--nofile=4"])
        #expect(outcome.status == 69 && outcome.errors.contains("EMFILE"), "\(outcome)")
    }

    @Test func `without etcd the daemon keeps trying, says so, is not ready, and stops within two seconds`()
        async throws
    {
        let http = CurlClient()
        let (took, outcome) = try await BuiltDaemon.run(quiet()) {
            let ready = try await eventually("readyz says what is missing") {
                let answer = try await get("/readyz?verbose", http)
                return answer.text.contains("127.0.0.1:1") ? answer : nil
            }
            #expect(ready.status == 503, "\(ready.text)")
            #expect(try await get("/livez", http).status == 200)
            #expect(try await get("/v1/node", http).text.contains("\"phase\":\"starting\""))
        }
        await http.shutdown()
        #expect(took < .seconds(2), "\(took)")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.errors.contains("127.0.0.1:1"), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/subnet.env"))
    }

    @Test func `an address that another daemon listens on is named`() async throws {
        let http = CurlClient()
        _ = try await BuiltDaemon.run(quiet()) {
            _ = try await eventually("the first daemon answers") { try await get("/livez", http) }
            let second = try await BuiltDaemon.run(quiet(["--node-name", "n2"]))
            #expect(second.status == 69, "\(second)")
            #expect(!second.errors.contains("subnet leased"), "\(second.errors)")
            let last = second.errors.split(separator: "\n").last ?? ""
            #expect(last.hasPrefix("tartand: ") && last.contains("api.sock"), "\(second.errors)")
            #expect(try await get("/livez", http).status == 200, "the first one lives on")
        }
        await http.shutdown()
    }

    @Test func `no secret is in the log, however much it tells, nor in the list of processes`() async throws {
        let http = CurlClient()
        let token = "secret-0123456789-token"
        let file = try folder.file("token", token + "\n")
        let (_, outcome) = try await BuiltDaemon.run(quiet(["--api-token-file", file, "--log-level", "trace"])) {
            func status(_ path: String, _ token: String, _ method: CurlMethod = .get) async throws -> Int {
                let request = CurlRequest(
                    method: method, url: "http://tartan\(path)",
                    headers: [CurlHeader("Authorization", "Bearer \(token)")],
                    unixSocketPath: "\(folder.path)/api.sock")
                return try await http.send(request).status
            }
            _ = try await eventually("the daemon answers") { try await status("/v1/node", token) == 200 ? true : nil }
            #expect(try await status("/v1/node", "other-secret-0123456789") == 401)
            #expect(try await status("/v1/node", token, .post) == 405)
            for process in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(process) != nil {
                let line = try? Data(contentsOf: URL(filePath: "/proc/\(process)/cmdline"))
                #expect(line.map { String(decoding: $0, as: UTF8.self).contains(token) } != true)
            }
        }
        await http.shutdown()
        #expect(outcome.errors.contains("/v1/node"), "at trace level each request is told")
        #expect(!outcome.errors.contains("secret-0123456789"), "\(outcome.errors)")
    }
}
