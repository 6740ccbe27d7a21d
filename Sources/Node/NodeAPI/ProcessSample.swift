// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import NodeAgent

/// What this process takes of the machine, under the names that every Prometheus client library has for it.
struct ProcessSample {
    var processorTime = 0.0
    var residentMemory = 0.0
    var virtualMemory = 0.0
    var openFiles = 0
    var threads = 0

    /// From proc(5); what can't be read stays 0.
    static var now: ProcessSample {
        var sample = ProcessSample()
        let fields = statFields()
        // Behind the name in brackets: utime, stime, num_threads, vsize in bytes, rss in pages.
        if fields.count > 22 {
            let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
            sample.processorTime = ((Double(fields[12]) ?? 0) + (Double(fields[13]) ?? 0)) / ticks
            sample.threads = Int(fields[18]) ?? 0
            sample.virtualMemory = Double(fields[21]) ?? 0
            sample.residentMemory = (Double(fields[22]) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
        }
        // One of them is the folder that is being read.
        let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        sample.openFiles = max(0, (files?.count ?? 1) - 1)
        return sample
    }

    /// From the bracket that ends the process' name on, which may hold anything: `)` is the first.
    private static func statFields() -> [Substring] {
        guard let text = read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return [] }
        return text[end...].split(whereSeparator: \.isWhitespace)
    }

    private static func read(_ path: String) -> String? {
        (try? Data(contentsOf: URL(filePath: path))).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// In seconds since 1970: the machine's start, and the process' after it.
    private static let startTime: Double = {
        let fields = statFields()
        guard fields.count > 20, let ticks = Double(fields[20]) else { return 0 }
        let boot = read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        let start = boot.flatMap { Double($0.dropFirst(6)) } ?? 0
        return start + ticks / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    }()

    private static var fileLimit: Double {
        var limit = rlimit()
        return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? Double(limit.rlim_cur) : 0
    }

    func write(to text: inout MetricsText) {
        text.family("process_cpu_seconds_total", .counter, "User and system time of the process.")
        text.sample("process_cpu_seconds_total", processorTime)
        text.gauge("process_resident_memory_bytes", "Resident memory.", residentMemory)
        text.gauge("process_virtual_memory_bytes", "Address space.", virtualMemory)
        text.gauge("process_open_fds", "Open file descriptors.", openFiles)
        text.gauge("process_max_fds", "How many file descriptors may be open.", Self.fileLimit)
        text.gauge("process_threads", "Threads of the process.", threads)
        text.gauge("process_start_time_seconds", "When the process started, since 1970.", Self.startTime)
    }
}
