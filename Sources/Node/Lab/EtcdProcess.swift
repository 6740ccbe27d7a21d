// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Subprocess
import Synchronization

/// One real etcd, started and stopped as often as wanted over the same data.
///
/// Faults are a part of the interface: it can be killed, halted, and set back to a snapshot. Calls on one process are
/// made one after another.
package final class EtcdProcess: Sendable {
    package let settings: EtcdSettings
    /// Every member of the cluster, this one included, for its first start.
    private let members: [EtcdSettings]
    private let directory: String
    private let child = Mutex<ChildProcess?>(nil)
    private let starts = Atomic<Int>(0)

    /// - Parameter directory: where data and logs go; it stays when the process ends.
    package init(settings: EtcdSettings, members: [EtcdSettings]? = nil, directory: String) {
        self.settings = settings
        self.members = members ?? [settings]
        self.directory = directory
    }

    package var endpoint: String { settings.clientURL }

    package var isRunning: Bool { child.withLock { $0 }?.isRunning ?? false }

    /// Of the etcd that runs.
    package var processID: Int32? { child.withLock { $0 }.flatMap { $0.isRunning ? $0.processID : nil } }

    /// Starts etcd without waiting for it to be ready, which a member of several is only once most of them run.
    package func launch() async throws {
        guard !isRunning else { return }
        starts.add(1, ordering: .relaxed)
        // Another process may have used the directory before.
        try? FileManager.default.removeItem(atPath: log)
        let started = try await ChildProcess.start(
            settings.launcher + [settings.binaries.etcd]
                + settings.arguments(dataDirectory: dataDirectory, members: members), log: log)
        child.withLock { $0 = started }
    }

    /// Returns when etcd serves clients, which it does once it has a leader.
    ///
    /// It says so itself: a question to it would have to go the way its clients go, through namespaces, TLS and
    /// passwords. Its listening socket is there before, so whoever connects from now on is answered.
    package func ready(within limit: Duration = .seconds(20)) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let text = logText
            if text.contains("serving client traffic") { return }
            guard isRunning else { throw LabError("etcd \(settings.name) ended at its start: \(lastWords(text))") }
            guard .now < deadline else {
                throw LabError("etcd \(settings.name) was not ready within \(limit): \(lastWords(text))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    package func start() async throws {
        try await launch()
        try await ready()
    }

    /// SIGTERM, and SIGKILL after the grace.
    package func stop(grace: Duration = .seconds(5)) async { await child.withLock { $0.take() }?.stop(grace: grace) }

    /// SIGKILL; the data is as etcd left it.
    package func kill() async {
        guard let child = child.withLock({ $0.take() }) else { return }
        child.signal(SIGKILL)
        await child.ended()
    }

    /// SIGSTOP: connections stay open, nothing is answered.
    package func halt() { child.withLock { $0 }?.signal(SIGSTOP) }

    /// SIGCONT.
    package func resume() { child.withLock { $0 }?.signal(SIGCONT) }

    /// Writes a snapshot of the running etcd to a file.
    package func saveSnapshot(to file: String) async throws { try await control("snapshot", "save", file) }

    /// Replaces the data of the stopped etcd by a snapshot, as an operator would.
    package func restoreSnapshot(from file: String) async throws {
        try? FileManager.default.removeItem(atPath: dataDirectory)
        try await control(
            "snapshot", "restore", file, "--data-dir", dataDirectory, "--name", settings.name,
            "--initial-cluster", EtcdSettings.cluster(members), "--initial-advertise-peer-urls", settings.peerURL)
    }

    /// Runs etcdctl against this member; what it said.
    @discardableResult
    package func control(_ arguments: String...) async throws -> String {
        var command = settings.launcher + [settings.binaries.etcdctl, "--endpoints", endpoint]
        if let tls = settings.tls {
            command += ["--cacert", tls.caFile]
            if let cert = tls.clientCertFile, let key = tls.clientKeyFile { command += ["--cert", cert, "--key", key] }
        }
        command += arguments
        // env(1) takes a path as well as a name.
        let result = try await Subprocess.run(
            .name("env"), arguments: Arguments(["ETCDCTL_API=3"] + command), output: .string(limit: 1 << 24),
            error: .combinedWithOutput)
        let text = result.standardOutput
        guard result.terminationStatus.isSuccess else {
            throw LabError("etcdctl \(arguments.joined(separator: " ")): \(text.suffix(500))")
        }
        return text
    }

    private var dataDirectory: String { "\(directory)/\(settings.name).data" }

    /// One for each start, so that what an earlier one said is not taken for the word of this one.
    private var log: String { "\(directory)/\(settings.name).\(starts.load(ordering: .relaxed)).log" }

    /// What etcd said since it was started.
    package var logText: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    private func lastWords(_ text: String) -> String {
        let lines = text.split(separator: "\n")
        let telling = lines.last { $0.contains("fatal") || $0.contains("error") } ?? lines.last ?? "it said nothing"
        return String(telling.suffix(400))
    }
}
