// SPDX-License-Identifier: Apache-2.0

import Testing

/// Who may import whom, and how a source file looks; SwiftPM holds neither.
@Suite struct ArrowTests {
    private let tree: SourceTree

    init() throws { tree = try SourceTree() }

    @Test func `every import is an arrow of the house`() {
        #expect(tree.files.count > 50, "the sources were not found")
        for file in tree.files {
            for found in SourceTree.imports(in: file.text) {
                guard let objection = House.objection(to: found.module, in: file.target) else { continue }
                Issue.record("\(file):\(found.line): \(file.target) imports \(found.module): \(objection)")
            }
        }
    }

    @Test func `every Swift file names its licence first and ends before the wall`() {
        // A single line stands in for a target that is not written yet.
        for file in tree.files where file.text.split(separator: "\n").count > 1 {
            #expect(file.text.hasPrefix("// SPDX-License-Identifier: Apache-2.0\n"), "\(file)")
            let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(lines <= 450, "\(file) has \(lines) lines")
        }
    }

    @Test func `an import is found in whatever dress it comes`() {
        let text = """
            // import Commented
            import Plain
            package import Shared
            @preconcurrency internal import Old
                @_exported public import Indented
            import struct Glibc.timespec
            import let Dispatch.NSEC_PER_SEC // why
            let text = "import NotOne"
            """
        #expect(
            SourceTree.imports(in: text).map(\.module) == ["Plain", "Shared", "Old", "Indented", "Glibc", "Dispatch"])
    }

    @Test(arguments: [
        ("Leases", "Foundation", "pure"), ("Leases", "Synchronization", "pure"), ("Dataplane", "Glibc", "pure"),
        ("Dataplane", "Logging", "pure"), ("IPAddressing", "Leases", "run"), ("Leases", "Netlink", "pure"),
        ("Etcd", "Leases", "know a lease"), ("Etcd", "Netlink", "never meet"), ("Netlink", "CCurl", "one door"),
        ("EtcdStore", "LinuxDataplane", "another adapter"), ("EtcdStore", "NodeAgent", "above"),
        ("NodeAgent", "Etcd", "ports"), ("NodeAgent", "LinuxDataplane", "ports"), ("NodeAgent", "TestKit", "ships"),
        ("NodeAPI", "EtcdStore", "GET"), ("NodeClient", "Hummingbird", "one door"), ("tartan", "Configuration", "door"),
        ("tartan-cni", "NIOCore", "pod"), ("PeersBenchmark", "tartand", "program"), ("NodeAPI", "tartan", "program"),
        ("Newcomer", "Leases", "no row"),
    ])
    func `a forbidden arrow is told with its reason`(target: String, module: String, reason: String) throws {
        #expect(try #require(House.objection(to: module, in: target)).contains(reason))
    }

    @Test(arguments: [
        ("Leases", "IPAddressing"), ("Leases", "Swift"), ("Netlink", "Glibc"), ("CurlHTTP", "Synchronization"),
        ("NodeAPI", "HTTPTypes"), ("tartand", "EtcdStore"), ("PeersBenchmark", "Etcd"), ("TestKit", "Testing"),
    ])
    func `an arrow of the table is free`(target: String, module: String) {
        #expect(House.objection(to: module, in: target) == nil)
    }
}
