// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Netlink

/// The machine's processes as /proc shows them (proc(5)).
enum ProcessTable {
    /// A process, and no later one that got its number.
    struct Identity: Hashable, CustomStringConvertible {
        let number: Int32
        /// Ticks from the machine's start to the process's (field 22 of `stat`).
        let startTime: UInt64

        init?(number: Int32) {
            guard let startTime = ProcessTable.startTime(of: number) else { return nil }
            self.number = number
            self.startTime = startTime
        }

        init?(_ text: some StringProtocol) {
            let parts = text.split(separator: " ")
            guard parts.count == 2, let number = Int32(parts[0]), number > 0, let startTime = UInt64(parts[1]) else {
                return nil
            }
            self.number = number
            self.startTime = startTime
        }

        static var own: String { Identity(number: getpid()).map(\.description) ?? "" }

        var isRunning: Bool { ProcessTable.startTime(of: number) == startTime }
        var description: String { "\(number) \(startTime)" }
    }

    static var ownNumber: Int32 { getpid() }

    /// Whether a process of that number is in the namespace: the one that was started there, or at least none of
    /// somebody else's.
    static func isRunning(_ number: Int32?, in namespace: String) -> Bool {
        guard let number, startTime(of: number) != nil,
            let wanted = identity(ofNamespaceFile: "\(NetworkNamespace.directory)/\(namespace)")
        else { return false }
        return link("/proc/\(number)/ns/net") == wanted
    }

    /// Processes whose first thread is in one of these namespaces, this one and its ancestors left out.
    static func processes(in namespaces: Set<String>) -> [Int32] {
        let spared = ancestors(of: getpid())
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { number in
            guard !spared.contains(number), let namespace = link("/proc/\(number)/ns/net") else { return false }
            return namespaces.contains(namespace)
        }
    }

    /// As /proc's links name a namespace: `net:[4026532008]`; `nil` where the file is not one.
    static func identity(ofNamespaceFile path: String) -> String? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return "net:[\(status.st_ino)]"
    }

    /// The process itself included.
    private static func ancestors(of number: Int32) -> Set<Int32> {
        var found: Set<Int32> = []
        var next: Int32? = number
        while let number = next, number > 0, found.insert(number).inserted {
            next = fields(of: number).flatMap { Int32($0[1]) }
        }
        return found
    }

    /// `nil` for a process that is not there, or has ended and only waits for its parent to notice.
    private static func startTime(of number: Int32) -> UInt64? {
        guard let fields = fields(of: number), fields.count > 19, fields[0] != "Z" else { return nil }
        return UInt64(fields[19])
    }

    /// `stat` from the third field on: the second, the command's name, may contain anything.
    private static func fields(of number: Int32) -> [Substring]? {
        guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
        return fields.count > 1 ? fields : nil
    }

    private static func link(_ path: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: path)
    }
}
