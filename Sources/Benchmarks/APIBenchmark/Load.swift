// SPDX-License-Identifier: Apache-2.0

import EtcdStore
import FoundationEssentials
import IPAddressing
import Lab
import Leases
import Subprocess

/// What is asked.
enum Question: String, CaseIterable {
    case oneLease, oneKey, manyLeases, manyKeys, page, range

    var name: String {
        switch self {
        case .oneLease: "GET /v1/leases/{subnet}"
        case .oneKey: "etcd: POST /v3/kv/range, that key"
        case .manyLeases: "GET /v1/leases/{subnet}, 1,000 in turn"
        case .manyKeys: "etcd: POST /v3/kv/range, those keys"
        case .page: "GET /v1/leases?limit=500"
        case .range: "etcd: POST /v3/kv/range, limit 500"
        }
    }
}

struct LoadResult {
    /// Requests a second.
    var rate: Double
    /// As wrk writes them, such as `1.20ms`.
    var median: String
    var slowest: String
    /// Bytes of the answers a second, as wrk writes them.
    var transfer: String
}

/// One run of wrk.
struct Load {
    let question: Question
    let scene: Scene
    let connections: Int
    let seconds: Int

    func run() async throws -> LoadResult {
        let etcd = "\(scene.etcd.only.endpoint)/v3/kv/range"
        let key = Scene.keys.key(of: Scene.key(400))
        switch question {
        case .oneLease: return try await wrk("http://\(scene.address)/v1/leases/\(Scene.key(400))")
        case .oneKey: return try await wrk(etcd, body: Self.question(key))
        case .manyLeases:
            let paths = Self.turn.map { "wrk.format('GET', '/v1/leases/\(Scene.key($0))')" }
            return try await wrk("http://\(scene.address)/", requests: paths)
        case .manyKeys:
            let requests = Self.turn.map { number in
                let body = Self.question(Scene.keys.key(of: Scene.key(number)))
                return "wrk.format('POST', '/v3/kv/range', {['Content-Type'] = 'application/json'}, '\(body)')"
            }
            return try await wrk(etcd, requests: requests)
        case .page: return try await wrk("http://\(scene.address)/v1/leases?limit=500")
        case .range:
            let prefix = String(key.prefix { $0 != "1" })
            let end = prefix.dropLast() + "0"
            return try await wrk(
                etcd,
                body: "{\"key\":\"\(Self.base64(prefix))\",\"range_end\":\"\(Self.base64(String(end)))\",\"limit\":500}"
            )
        }
    }

    private static let turn = 1...1000

    private static func question(_ key: String) -> String { "{\"key\":\"\(base64(key))\"}" }

    /// One after the other, all made before the first is sent.
    private func wrk(_ url: String, requests: [String]) async throws -> LoadResult {
        // Lua takes no expression as long as a thousand calls.
        var script = "local all = {}\nlocal turn = 0\nfunction init()\n"
        for request in requests { script += "all[#all + 1] = \(request)\n" }
        script += "end\nfunction request()\nturn = turn % #all + 1\nreturn all[turn]\nend\n"
        return try await wrk(url, script: script)
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private func wrk(_ url: String, body: String) async throws -> LoadResult {
        try await wrk(
            url,
            script: """
                wrk.method = "POST"
                wrk.headers["Content-Type"] = "application/json"
                wrk.body = '\(body)'
                """)
    }

    private func wrk(_ url: String, script text: String? = nil) async throws -> LoadResult {
        var arguments = ["-t1", "-c\(connections)", "-d\(seconds)s", "--timeout", "20s", "--latency"]
        if let text {
            let script = "\(scene.etcd.directory.path)/requests.lua"
            try Data(text.utf8).write(to: URL(filePath: script))
            arguments += ["-s", script]
        }
        let result = try await Subprocess.run(
            .name("wrk"), arguments: Arguments(arguments + [url]), output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16))
        let text = result.standardOutput
        guard result.terminationStatus.isSuccess, !text.contains("Non-2xx"), !text.contains("Socket errors") else {
            throw BenchmarkError("wrk \(url): \(text) \(result.standardError)")
        }
        func value(_ name: String) -> String {
            let line = text.split(separator: "\n").first { $0.drop { $0 == " " }.hasPrefix(name) } ?? ""
            return line.split(separator: " ").last.map(String.init) ?? "?"
        }
        return LoadResult(
            rate: Double(value("Requests/sec:")) ?? 0, median: value("50%"), slowest: value("99%"),
            transfer: value("Transfer/sec:"))
    }
}

/// The medians, and how the endpoint stands to etcd.
struct LoadTable {
    private let results: [Question: [LoadResult]]

    init(_ results: [Question: [LoadResult]]) { self.results = results }

    private func median(_ question: Question) -> LoadResult? {
        let all = (results[question] ?? []).sorted { $0.rate < $1.rate }
        return all.isEmpty ? nil : all[all.count / 2]
    }

    var text: String {
        var lines = [
            "| | requests/s | 50 % | 99 % | bytes/s | times etcd |", "| --- | ---: | ---: | ---: | ---: | ---: |",
        ]
        for (ours, theirs) in [
            (Question.oneLease, Question.oneKey), (.manyLeases, .manyKeys), (.page, .range),
        ] {
            guard let our = median(ours), let their = median(theirs) else { continue }
            let factor = (our.rate / max(their.rate, 1) * 10).rounded() / 10
            lines.append(row(ours, our, "\(factor)"))
            lines.append(row(theirs, their, ""))
        }
        return lines.joined(separator: "\n")
    }

    private func row(_ question: Question, _ result: LoadResult, _ factor: String) -> String {
        "| \(question.name) | \(Int(result.rate)) | \(result.median) | \(result.slowest) | \(result.transfer) | \(factor) |"
    }
}
