// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import tartand

@Suite struct AtomicFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func `a file is made with its folders, then replaced, and nothing is left beside it`() throws {
        let file = AtomicFile("\(folder.path)/run/flannel/subnet.env")
        #expect(file.contents() == nil)
        try file.replace(with: "one\n")
        try file.replace(with: "two\n")
        #expect(file.contents() == "two\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/run/flannel") == ["subnet.env"])
    }

    @Test func `everybody may read the file, whatever it was before`() throws {
        let path = try folder.file("subnet.env", "old")
        #expect(chmod(path, 0o600) == 0)
        try AtomicFile(path).replace(with: "new")
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o644)
    }

    @Test func `a folder that can't be made is an error that names the file and leaves the old one`() throws {
        let blocked = try folder.file("blocked", "a file, not a folder")
        let file = AtomicFile("\(blocked)/subnet.env")
        let fault = #expect(throws: FileFault.self) { try file.replace(with: "x") }
        #expect("\(try #require(fault))".contains(blocked))
        #expect(folder.names == ["blocked"])
    }

    @Test(.enabled(if: getuid() == 0, "mounting a full file system needs root"))
    func `a full disk leaves the old file and nothing half written`() throws {
        let path = "\(folder.path)/full"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try #require(mount("tmpfs", path, "tmpfs", 0, "size=16k") == 0)
        defer { umount2(path, Int32(MNT_DETACH)) }
        let file = AtomicFile("\(path)/subnet.env")
        try file.replace(with: "old\n")
        #expect(throws: FileFault.self) { try file.replace(with: String(repeating: "x", count: 1 << 16)) }
        #expect(file.contents() == "old\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["subnet.env"])
    }
}
