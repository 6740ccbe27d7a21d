// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

@Suite(.enabled(if: EtcdVersion.installed != nil, EtcdVersion.reason))
struct EtcdProcessTests {
    private let binaries: EtcdBinaries

    init() throws { binaries = try #require(EtcdVersion.installed).binaries }

    @Test func `a killed etcd has its data when it is started again`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            try await cluster.only.control("put", "k", "v")
            await cluster.only.kill()
            #expect(!cluster.only.isRunning)
            try await cluster.only.start()
            #expect(try await cluster.only.control("get", "--print-value-only", "k") == "v\n")
            await cluster.only.stop()
            #expect(!cluster.only.isRunning)
        }
    }

    @Test func `nothing is left of a cluster whose body fails`() async throws {
        struct Fault: Error {}
        var directory = ""
        await #expect(throws: Fault.self) {
            try await EtcdCluster.with(members: 3, binaries: binaries) { cluster in
                directory = cluster.directory.path
                #expect(FileManager.default.fileExists(atPath: directory))
                throw Fault()
            }
        }
        #expect(!FileManager.default.fileExists(atPath: directory))
        #expect(processes(naming: directory).isEmpty)
    }

    @Test func `a halted etcd is stopped like any other`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            cluster.only.halt()
            await cluster.only.stop()
            #expect(processes(naming: cluster.directory.path).isEmpty)
        }
    }

    @Test func `an etcd that can't start says why`() async throws {
        try await EtcdCluster.with(binaries: binaries) { cluster in
            let second = EtcdProcess(settings: cluster.only.settings, directory: "\(cluster.directory.path)/m1.data")
            let error = await #expect(throws: LabError.self) { try await second.start() }
            #expect(error?.description.contains("address already in use") == true)
        }
    }

    @Test func `a child ends with the last reference to it`() async throws {
        let directory = try TemporaryDirectory("child")
        defer { directory.remove() }
        var child: ChildProcess? = try await ChildProcess.start(["sleep", "1000"], log: "\(directory.path)/log")
        let number = try #require(child?.processID)
        #expect(kill(number, 0) == 0)
        child = nil
        try await eventually("the child is gone") { kill(number, 0) != 0 }
    }

    @Test func `a child dies with the shell between, as it does when this process is killed`() async throws {
        let directory = try TemporaryDirectory("child")
        defer { directory.remove() }
        let child = try await ChildProcess.start(["sleep", "1000"], log: "\(directory.path)/log")
        // Our end of the pipe is the only other one; killing the shell makes Subprocess close it.
        kill(try #require(parent(of: child.processID)), SIGKILL)
        try await eventually("the child is gone") { kill(child.processID, 0) != 0 }
        #expect(await child.ended() == 128 + SIGKILL)
    }

    @Test func `a child's exit status and both its outputs are kept`() async throws {
        let directory = try TemporaryDirectory("child")
        defer { directory.remove() }
        let log = "\(directory.path)/log"
        let child = try await ChildProcess.start(["sh", "-c", "echo one; echo two >&2; exit 7"], log: log)
        #expect(await child.ended() == 7)
        #expect(!child.isRunning)
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "one\ntwo\n")
    }

    private func parent(of number: Int32) -> Int32? {
        let status = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)
        return status?.split(separator: " ").dropFirst(3).first.flatMap { Int32($0) }
    }

    /// The processes that have a word in their command line.
    private func processes(naming word: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { name in
            guard Int32(name) != nil, let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return false
            }
            return String(decoding: line, as: UTF8.self).contains(word)
        }
    }
}
