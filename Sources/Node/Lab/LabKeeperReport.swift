// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How a keeper speaks to the program that started it: a line a thing on its standard output, fields apart by tabs.
enum LabKeeperReport {
    static func line(_ event: LabKeeper.Event) -> String {
        switch event {
        case .progress(let text): "progress\t\(flat(text))"
        case .ready: "ready"
        case .failed(let fault): "failed\t\(fault.kind.rawValue)\t\(flat(fault.description))"
        case .ended: ""
        }
    }

    /// A line that is none of ours is the last word of a program in trouble, and worth seeing.
    static func event(_ line: String) -> LabKeeper.Event {
        let parts = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("ready", 1): return .ready
        case ("progress", 2): return .progress(parts[1])
        case ("failed", 3):
            guard let kind = LabFault.Kind(rawValue: parts[1]) else { return .progress(line) }
            return .failed(LabFault(kind, parts[2]))
        default: return .progress(line)
        }
    }

    /// Says it; where nobody listens any more, nobody waits for the lab either, and the keeper ends as if told to.
    static func say(_ event: LabKeeper.Event) {
        let bytes = Array((line(event) + "\n").utf8)
        let count = unsafe bytes.withUnsafeBytes { unsafe write(STDOUT_FILENO, $0.baseAddress, $0.count) }
        if count < 0, errno == EPIPE { kill(getpid(), SIGTERM) }
    }

    /// Lets go of the terminal, or whatever the standard descriptors are.
    static func close() {
        let null = unsafe open("/dev/null", O_RDWR)
        guard null >= 0 else { return }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { dup2(null, descriptor) }
        if null > STDERR_FILENO { Glibc.close(null) }
    }

    private static func flat(_ text: String) -> String {
        text.split { $0.isNewline || $0 == "\t" }.joined(separator: " ")
    }
}
