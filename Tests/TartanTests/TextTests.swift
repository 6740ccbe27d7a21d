// SPDX-License-Identifier: Apache-2.0

import APISchema
import JSONText
import NodeClient
import Testing

@testable import tartan

@Suite struct TextTests {
    private let leases = [
        LeaseDocument(
            subnet: "10.244.7.0/24", ipv6Subnet: nil, node: "node1", publicIP: "172.20.0.11", publicIPv6: nil,
            kind: .lease, owner: "tartan",
            backend: BackendDocument(type: "vxlan", vni: 1, vtepMAC: "02:00:00:00:00:01"),
            etcdLease: "694d85", createRevision: "12", modRevision: "13", local: true),
        LeaseDocument(
            subnet: "10.244.20.0/24", ipv6Subnet: nil, node: nil, publicIP: "10.0.0.2", publicIPv6: nil,
            kind: .reservation, owner: nil, backend: BackendDocument(type: "host-gw"), etcdLease: nil,
            createRevision: "4", modRevision: "4", local: false),
    ]

    @Test func `leases stand in columns under their headings`() {
        #expect(
            LeaseTableText.list(leases, colour: false) == """
                SUBNET           NODE    PUBLIC IP     BACKEND   VTEP MAC            KIND          OWNER    NOTE
                10.244.7.0/24    node1   172.20.0.11   vxlan/1   02:00:00:00:00:01   lease         tartan   this node
                10.244.20.0/24   -       10.0.0.2      host-gw   -                   reservation   -

                """)
        #expect(LeaseTableText.list([], colour: false) == "No leases.\n")
    }

    @Test func `colour changes no column`() {
        let coloured = LeaseTableText.list(leases, colour: true)
        #expect(coloured.contains("\u{1B}[32m10.244.7.0/24\u{1B}[0m    node1"))
        let plain = coloured.replacing(/\u{1B}\[[0-9]+m/, with: "")
        #expect(plain == LeaseTableText.list(leases, colour: false))
    }

    @Test func `a table that grows says its headings once`() {
        var changes = LeaseTableText.Changes(colour: false)
        let list = LeaseListDocument(revision: "13", items: [leases[0]])
        #expect(changes.lines(for: .snapshot(list)).split(separator: "\n").count == 2)
        let again = changes.lines(for: .snapshot(list))
        #expect(again.hasPrefix("present "))
        let removed = changes.lines(for: .removed(leases[0], revision: "14"))
        #expect(removed == again.replacing("present ", with: "removed "))
    }

    @Test func `one lease is a line a field, and says when it ends`() {
        var lease = leases[0]
        lease.ttl = 90
        lease.expiresAt = "2026-01-02T03:04:05Z"
        let text = FieldList.text(of: lease, colour: false)
        #expect(text.contains("Subnet:      10.244.7.0/24\n"))
        #expect(text.contains("Expires:     2026-01-02T03:04:05Z (in 90 s, unless renewed)\n"))
        #expect(FieldList.text(of: leases[1], colour: false).contains("Expires:     never\n"))
    }

    @Test func `JSON keeps the order of members and the spelling of numbers`() throws {
        let text = #"{"b":[1,2.50,-1e3,[]],"a":{"ü\"\u000a":null,"t":true,"e":{}},"s":"é"}"#
        let tree = try JSONTree(parsing: Array(text.utf8))
        #expect(tree.json(pretty: false) == text)
        #expect(try JSONTree(parsing: Array(tree.json(pretty: true).utf8)) == tree)
        #expect(throws: JSONError.self) { try JSONTree(parsing: Array(#"{"a":}"#.utf8)) }
        #expect(throws: JSONError.self) { try JSONTree(parsing: []) }
    }

    @Test func `a member is found and changed whatever the case of its name`() throws {
        var tree = try JSONTree(parsing: Array(#"{"NETWORK":"10.0.0.0/8","X":1}"#.utf8))
        tree["Network"] = .string("10.1.0.0/16")
        tree["SubnetLen"] = .word("24")
        tree["x"] = nil
        #expect(tree.json(pretty: false) == #"{"NETWORK":"10.1.0.0/16","SubnetLen":24}"#)
    }

    @Test func `YAML is in blocks, and quotes what would be read as something else`() throws {
        let text = #"{"items":[{"a":"10.244.20.0/24","o":null,"m":[[1],[]]},"x: y"],"revision":"12","e":{},"y":"no"}"#
        let tree = try JSONTree(parsing: Array(text.utf8))
        #expect(
            tree.yaml == """
                items:
                - a: 10.244.20.0/24
                  o: null
                  m:
                  - - 1
                  - []
                - "x: y"
                revision: "12"
                e: {}
                "y": "no"

                """)
    }

    @Test(arguments: [
        "", "true", "Null", "~", "12", "1e3", "0x1F", "1.5", "12:30:45", "2026-01-02T03:04:05Z", "- a", "a: b", "a #b",
        " a", "a ", "é", "@a", "a:",
    ])
    func `a string that YAML takes for something else is quoted`(text: String) {
        #expect(JSONTree.string(text).yaml == JSONTree.quoted(text) + "\n")
    }

    @Test(arguments: ["10.0.0.1", "node1", "vxlan", "10.244.0.0/16", "unix:/run/x.sock"])
    func `a string that can stand bare does`(text: String) {
        #expect(JSONTree.string(text).yaml == text + "\n")
    }

    @Test func `a probe says in one sentence what is missing`() {
        let reasons = "[+]ping ok\n[-]etcd failed: no answer\n[-]lease failed: there is none\nreadyz check failed\n"
        #expect(
            HealthCommand.sentence(reasons)
                == "the daemon is not ready: etcd failed: no answer; lease failed: there is none")
        #expect(HealthCommand.sentence("").hasSuffix("see its log"))
    }
}
