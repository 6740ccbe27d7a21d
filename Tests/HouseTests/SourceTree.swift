// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The Swift files under `Sources/`, as the checks of the house read them.
struct SourceTree {
    struct File: CustomStringConvertible {
        /// From the package's root: `Sources/STOREY/TARGET/...`.
        let path: String
        let text: String

        var target: String { String(path.split(separator: "/")[2]) }
        var description: String { path }
    }

    /// `import` in any dress: its line, counted from one, and the module.
    struct Import: Equatable {
        let line: Int
        let module: String
    }

    let files: [File]

    /// The package's own folder. Where that is a directory of links, the links lead to the one that is meant.
    static var root: URL {
        URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
    }

    init() throws {
        let root = Self.root
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: "Sources").path())
        files = try paths.filter { $0.hasSuffix(".swift") && $0.split(separator: "/").count > 2 }.sorted().map { path in
            let text = try String(contentsOf: root.appending(path: "Sources/\(path)"), encoding: .utf8)
            return File(path: "Sources/\(path)", text: text)
        }
    }

    static func imports(in text: String) -> [Import] {
        let words: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        let kinds: Set<Substring> = [
            "struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor",
        ]
        var found: [Import] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            // What stands before a semicolon or behind a directive does not occur here.
            var rest = line.split(whereSeparator: \.isWhitespace)[...]
            while let first = rest.first, first.hasPrefix("@") || words.contains(first) { rest = rest.dropFirst() }
            guard rest.first == "import" else { continue }
            rest = rest.dropFirst()
            if let kind = rest.first, kinds.contains(kind) { rest = rest.dropFirst() }
            guard let module = rest.first?.split(separator: ".").first else { continue }
            found.append(
                Import(line: index + 1, module: String(module.prefix { $0.isLetter || $0.isNumber || $0 == "_" })))
        }
        return found
    }
}
