// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab

/// podman with its CNI backend on one node of a lab, with storage and configuration of its own.
///
/// What this machine lacks it is told: rights to raise limits, and the cgroups' newer form.
struct PodmanHost {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static let programs = ["/usr/bin/podman", "/usr/sbin/runc", "/bin/busybox", "/usr/bin/nsenter"]

    /// Why there is no such runtime here; `nil` where it runs a container without a network.
    static func obstacle() async -> String? {
        for program in programs where !FileManager.default.isExecutableFile(atPath: program) {
            return "needs \(program): Debian's podman, runc, busybox-static, util-linux"
        }
        do {
            let folder = try TemporaryDirectory("podman")
            defer { folder.remove() }
            let host = try PodmanHost(folder.path, namespace: nil, conflist: nil, plugins: "")
            try await host.prepare()
            _ = try await host.podman(["run", "--rm", "--network", "none"] + limits + ["pod", "/bin/true"])
            await host.clear()
            return nil
        } catch {
            return "podman does not run here: \(error)"
        }
    }

    static let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"]

    private let folder: String
    private let namespace: String?

    /// - Parameter conflist: what the node's daemon wrote; podman gets it with a folder of addresses of its own.
    init(_ folder: String, namespace: String?, conflist: String?, plugins: String) throws {
        self.folder = folder
        self.namespace = namespace
        try FileManager.default.createDirectory(atPath: "\(folder)/net.d", withIntermediateDirectories: true)
        let settings = """
            [network]
            network_backend = "cni"
            cni_plugin_dirs = ["\(plugins)", "/usr/lib/cni"]
            """
        try settings.write(toFile: "\(folder)/containers.conf", atomically: true, encoding: .utf8)
        guard let conflist else { return }
        let data = try Data(contentsOf: URL(filePath: conflist))
        guard var list = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            var plugins = list["plugins"] as? [[String: Any]], !plugins.isEmpty
        else { throw Failure(description: "\(conflist) is no list of plugins") }
        plugins[0]["ipam"] = ["dataDir": "\(folder)/networks"]
        list["plugins"] = plugins
        try JSONSerialization.data(withJSONObject: list)
            .write(to: URL(filePath: "\(folder)/net.d/10-tartan.conflist"))
    }

    /// Makes the image: busybox and nothing else.
    func prepare() async throws {
        let script = """
            set -e; mkdir -p image/bin; cp /bin/busybox image/bin/
            for name in sh true sleep ping ip; do ln -sf busybox image/bin/$name; done
            tar -C image -cf image.tar .
            """
        let made = try await LabAnswer.of(["sh", "-c", "cd \(folder); \(script)"])
        guard made.status == 0 else { throw Failure(description: made.complaint) }
        _ = try await podman(["import", "\(folder)/image.tar", "pod"])
    }

    /// What podman says; an error unless it succeeds.
    func podman(_ arguments: [String]) async throws -> String {
        let place = namespace.map { ["nsenter", "--net=/run/netns/\($0)"] } ?? []
        let command =
            place + [
                "env", "CONTAINERS_CONF=\(folder)/containers.conf", "podman", "--root", "\(folder)/root", "--runroot",
                "\(folder)/run", "--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--runtime", "runc",
                "--network-config-dir", "\(folder)/net.d",
            ] + arguments
        let answer = try await LabAnswer.of(command)
        guard answer.status == 0 else { throw Failure(description: "\(arguments): \(answer.complaint)") }
        return answer.output
    }

    /// Starts a container in the network; returns its address.
    func start(_ name: String) async throws -> String {
        _ = try await podman(
            ["run", "-d", "--name", name, "--network", "cbr0"] + Self.limits + ["pod", "/bin/sleep", "600"])
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return try await podman(["inspect", "-f", format, name]).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The addresses that are given away.
    var reserved: [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/networks/cbr0")
        return (names ?? []).filter { $0.first?.isNumber ?? false }.sorted()
    }

    /// Takes containers and image away, whatever is there of them.
    func clear() async {
        _ = try? await podman(["rm", "--all", "--force", "--time", "0"])
        _ = try? await podman(["rmi", "--all", "--force"])
    }
}
