// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Foundation
import Testing

/// A folder with certificates made by openssl: authorities `ca` and `other`, the endpoint's `server` and `next` for
/// 127.0.0.1, clients' `client`, `expired` and `stranger` (of the other authority), each a `.pem` and a `.key`.
struct Certificates {
    let folder: String

    static let isPossible = ["/usr/bin/openssl", "/usr/local/bin/openssl"]
        .contains { FileManager.default.isExecutableFile(atPath: $0) }

    static func with(_ body: (Certificates) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let maker = Process()
        maker.executableURL = URL(filePath: "/bin/sh")
        maker.arguments = ["-ec", script, "sh", folder.path]
        maker.standardOutput = FileHandle.nullDevice
        maker.standardError = FileHandle.nullDevice
        try maker.run()
        maker.waitUntilExit()
        try #require(maker.terminationStatus == 0, "openssl could not make the certificates")
        try await body(Certificates(folder: folder.path))
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func tls(authority: String = "ca", client: String? = nil) -> CurlTLS {
        CurlTLS(
            caFile: path("\(authority).pem"), certFile: client.map { path("\($0).pem") },
            keyFile: client.map { path("\($0).key") })
    }

    /// Puts a file in the place of another in one step, as a tool would that renews it.
    func replace(_ name: String, with other: String) throws {
        try FileManager.default.copyItem(atPath: path(other), toPath: path("new"))
        try #require(rename(path("new"), path(name)) == 0)
    }

    func write(_ text: String, to name: String, mode: Int = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    private static let script = """
        cd "$1"
        key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        authority() { openssl req -x509 $key -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem"; }
        certificate() {
            openssl req $key -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
            echo "subjectAltName=IP:127.0.0.1" > ext
            openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "$3" -extfile ext -out "$1.pem"
        }
        umask 077
        authority ca
        authority other
        certificate server ca 2
        certificate next other 2
        certificate client ca 2
        certificate expired ca -1
        certificate stranger other 2
        """
}
