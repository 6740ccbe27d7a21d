// SPDX-License-Identifier: Apache-2.0

import Foundation
import Lab
import Testing

/// What a lab needs, and the programs under test.
enum Requirements {
    /// Where `swift build` puts the programs: beside the tests.
    private static let folder = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .path

    static let tools = try? LabTools(tartan: "\(folder)/tartan")

    /// Why no lab can be made here; `nil` where one can.
    private static let obstacle: String? = {
        if let missing = LabPrivilege.missing { return "needs root: \(missing) is missing" }
        do {
            _ = try LabTools(tartan: "\(folder)/tartan")
        } catch {
            return "\(error)"
        }
        let files = FileManager.default
        guard files.isExecutableFile(atPath: "\(folder)/tartan") else { return "there is no tartan in \(folder)" }
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        let missing = ["ip", "bridge", "ping", "tcpdump", "setpriv"].filter { tool in
            !path.contains { files.isExecutableFile(atPath: "\($0)/\(tool)") }
        }
        return missing.isEmpty
            ? nil : "needs \(missing.joined(separator: ", ")): Debian's iproute2, iputils-ping, tcpdump, util-linux"
    }()

    static var areMet: Bool { obstacle == nil }
    static var reason: Comment { Comment(rawValue: obstacle ?? "") }
}
