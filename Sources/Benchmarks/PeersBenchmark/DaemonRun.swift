// SPDX-License-Identifier: Apache-2.0

import Glibc
import Lab
import Netlink
import SystemPackage

/// One start of `tartand` in the scene, from the first instruction to the last entry.
struct DaemonRun {
    let program: String
    let scene: Scene
    let number: Int

    /// The one that was named, or the one that lies beside this program.
    static func program(_ named: String?) throws -> String {
        if let named { return named }
        var here = FilePath(CommandLine.arguments[0])
        here.removeLastComponent()
        let beside = here.appending("tartand").string
        guard unsafe access(beside, X_OK) == 0 else {
            throw BenchmarkError("there is no \(beside); build it with 'swift build -c release --product tartand'")
        }
        return beside
    }

    func measure() async throws -> Figures {
        let folder = "\(scene.directory.path)/run\(number)"
        let subnetFile = "\(folder)/subnet.env"
        let socket = try scene.connect()
        let command = [
            "ip", "netns", "exec", scene.namespace, program, "--etcd-endpoints", scene.etcd.endpoint,
            "--node-name", "measured", "--state-dir", "\(folder)/state", "--subnet-file", subnetFile,
            "--api-listen", "unix:\(folder)/api.sock", "--on-shutdown", "release",
        ]
        let start = ContinuousClock.now
        let daemon = try await ChildProcess.start(command, log: "\(scene.directory.path)/tartand-\(number).log")
        do {
            let figures = try await watch(daemon, since: start, subnetFile: subnetFile, socket)
            await daemon.stop()
            return figures
        } catch {
            await daemon.stop()
            throw error
        }
    }

    private func watch(
        _ daemon: ChildProcess, since start: ContinuousClock.Instant, subnetFile: String, _ socket: RouteSocket
    ) async throws -> Figures {
        try await wait(daemon, "the subnet file", pause: .milliseconds(1)) { unsafe access(subnetFile, R_OK) == 0 }
        let published = ContinuousClock.now - start
        try await wait(daemon, "every entry in the kernel", pause: .milliseconds(5)) {
            try await entries(socket) == 4 * scene.peers.count
        }
        let programmed = ContinuousClock.now - start
        let memory = try ProcessFile("/proc/\(daemon.processID)/status")
        return Figures(
            subnetFile: published.inSeconds, programmed: programmed.inSeconds,
            processor: try ProcessFile("/proc/\(daemon.processID)/stat").processorTime,
            peakMemory: memory.mebibytes("VmHWM"), anonymousMemory: memory.mebibytes("RssAnon"))
    }

    /// Neighbours, forwarding entries, next hops and routes of Tartan's.
    private func entries(_ socket: RouteSocket) async throws -> Int {
        guard let device = try await socket.link(named: Scene.device) else { return 0 }
        let origin = RouteMessage.Origin(rawValue: 116)
        return try await socket.neighbors(.ipv4, device: device.index).count
            + socket.neighbors(.fdb, device: device.index).count + socket.nextHops(device: device.index).count
            + socket.routes(.filter(origin: origin)).count
    }

    private func wait(
        _ daemon: ChildProcess, _ what: String, pause: Duration, until isThere: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try await !isThere() {
            guard daemon.isRunning, .now < deadline else {
                throw BenchmarkError(
                    "\(what): not there\(daemon.isRunning ? " in 300 s" : ", tartand ended"); see its log in "
                        + scene.directory.path)
            }
            try await Task.sleep(for: pause)
        }
    }
}

/// A small file that the kernel writes, such as `/proc/PID/status`.
struct ProcessFile {
    let text: String

    init(_ path: String) throws {
        let file = try FileDescriptor.open(FilePath(path), .readOnly)
        text = try file.closeAfter {
            var bytes = [UInt8](repeating: 0, count: 1 << 14)
            let count = unsafe try bytes.withUnsafeMutableBytes { unsafe try file.read(into: $0) }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    func mebibytes(_ name: String) -> Double {
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map { $0 / 1024 }
            ?? 0
    }

    /// Of `/proc/PID/stat` (proc(5)): user and system time, in seconds.
    var processorTime: Double {
        // The second field is a name in brackets that may hold anything; utime and stime are the 12th and 13th after.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
