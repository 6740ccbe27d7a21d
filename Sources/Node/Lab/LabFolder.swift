// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// A lab's files, under /run: they are gone after a restart of the machine, as the rest of the lab is.
package struct LabFolder: Hashable, Sendable {
    private static let root = "/run/tartan-lab"

    package let path: String

    package init(_ name: LabName) { path = "\(Self.root)/\(name)" }

    /// Takes the lab's name for this process; `false` where somebody has it.
    func claim() throws(LabFault) -> Bool {
        _ = unsafe mkdir(Self.root, 0o755)
        if unsafe mkdir(path, 0o755) == 0 {
            try write("\(ProcessTable.Identity.own)\n", to: "keeper")
            return true
        }
        let number = errno
        guard number == EEXIST else {
            throw LabFault(.failed, "\(path) can't be made: \(unsafe String(cString: strerror(number)))")
        }
        return false
    }

    package var exists: Bool { FileManager.default.fileExists(atPath: path) }

    /// The process that keeps the lab, if it still runs.
    package var keeper: Int32? { keeperIdentity?.number }

    var keeperIdentity: ProcessTable.Identity? {
        guard let text = try? String(contentsOfFile: "\(path)/keeper", encoding: .utf8),
            let identity = ProcessTable.Identity(text.prefix { $0 != "\n" }), identity.isRunning
        else { return nil }
        return identity
    }

    /// What the keeper wrote last; `nil` where it did not come that far.
    package var description: LabDescription? {
        guard let data = try? Data(contentsOf: URL(filePath: "\(path)/lab.json")) else { return nil }
        return try? JSONDecoder().decode(LabDescription.self, from: data)
    }

    func write(_ description: LabDescription) throws(LabFault) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        guard let data = try? encoder.encode(description) else { return }
        try write(String(decoding: data, as: UTF8.self) + "\n", to: "lab.json")
    }

    /// Replaced as a whole: a reader sees the old or the new one.
    private func write(_ text: String, to name: String) throws(LabFault) {
        do {
            try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"), options: .atomic)
        } catch {
            throw LabFault(.failed, "\(path)/\(name) can't be written: \(error)")
        }
    }

    func makeDirectory(_ name: String) throws(LabFault) {
        do {
            try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        } catch {
            throw LabFault(.failed, "\(path)/\(name) can't be made: \(error)")
        }
    }

    /// Success also where there is none.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
        _ = unsafe rmdir(Self.root)  // of the last lab
    }
}
