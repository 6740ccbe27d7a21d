// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import Glibc
import IPAddressing
import Leases
import Testing

@testable import tartan

@Suite struct NetworkConfigOptionsTests {
    private func config(_ arguments: String..., changing text: String = "{}") throws -> String {
        let options = try NetworkConfigOptions.parse(arguments)
        return try options.config(changing: try JSONTree(parsing: Array(text.utf8))).json(pretty: false)
    }

    @Test func `a new config has what was given and a backend`() throws {
        #expect(
            try config("--network", "10.9.0.0/16") == #"{"Network":"10.9.0.0/16","Backend":{"Type":"vxlan"}}"#)
    }

    @Test func `a changed config keeps every other field, also those that nobody here knows`() throws {
        let text = #"{"network":"10.9.0.0/16","Novelty":[1],"Backend":{"type":"vxlan","Port":8472}}"#
        #expect(
            try config("--vni", "7", "--subnet-len", "26", changing: text)
                == #"{"network":"10.9.0.0/16","Novelty":[1],"Backend":{"type":"vxlan","Port":8472,"VNI":7},"SubnetLen":26}"#
        )
    }

    @Test func `a config is checked before anybody sees it`() throws {
        let bad = try JSONTree(parsing: Array(#"{"Network":"10.9.0.0/16","SubnetLen":40}"#.utf8))
        let error = #expect(throws: NetworkConfigError.self) { try NetworkConfigOptions.check(bad) }
        #expect(error?.field == "SubnetLen")
        #expect(ProgramError(try #require(error)).status == .configuration)
    }

    @Test func `a config is read from a pipe to its end`() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        let text = #"{"Network":"10.9.0.0/16"}"#
        #expect(write(writing, text, text.utf8.count) == text.utf8.count)
        close(writing)
        #expect(try InputFile.read(reading, name: "pipe") == Array(text.utf8))
        let error = #expect(throws: ProgramError.self) { try InputFile.read("/no/such/file") }
        #expect(error?.description == "--file: /no/such/file can't be read: No such file or directory")
    }

    @Test func `nothing to write, or two sources of it, is wrong usage`() {
        #expect(throws: (any Error).self) { try NetworkConfigOptions.parse([]) }
        #expect(throws: (any Error).self) { try NetworkConfigOptions.parse(["--vni", "7", "--file", "x"]) }
    }

    @Test func `how full a network is counts what each lease touches`() throws {
        var fields = NetworkConfigFields()
        fields.network = "10.9.0.0/16"
        let config = ConfigReading.valid(try NetworkConfig(fields))
        func lease(_ name: String, _ kind: Lease.Kind) throws -> LeaseRecord {
            .lease(
                Lease(
                    key: try SubnetKey(parsing: name),
                    announcement: LeaseAnnouncement(
                        node: nil, owner: .unnamed, publicIP: .any, backend: .hostGateway), kind: kind,
                    createRevision: Revision(1), modRevision: Revision(2)))
        }
        var table = LeaseTable()
        _ = table.apply(
            SnapshotPart(
                revision: Revision(9),
                records: [
                    try lease("10.9.1.0-24", .lease(GrantID(1))), try lease("10.9.8.0-22", .lease(GrantID(2))),
                    try lease("10.9.20.0-24", .reservation), try lease("10.10.1.0-24", .lease(GrantID(3))),
                ], config: config, isFirst: true, isLast: true))
        let network = NetworkDocument(config, leases: table)
        #expect([network.used, network.reserved, network.free] == [5, 1, 249])
        #expect(network.range?.size == 255)
        #expect(network.config?.subnetMin == "10.9.1.0")
        #expect(NetworkDocument(.missing, leases: table, key: "/p/config").problem?.contains("at /p/config") == true)
    }
}
