// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import Testing

@testable import tartand

@Suite struct NodeMemoryTests {
    private let folder: TemporaryFolder
    private let mac = MACAddress(bits: 0x0242_AC11_0002)
    private let subnet = SubnetKey(IPv4Prefix(IPv4Address(10, 244, 20, 0), length: 24)!)

    init() throws { folder = try TemporaryFolder() }

    private func memory(_ node: String) -> NodeMemory { NodeMemory(directory: folder.path, node: NodeID(node)) }

    @Test func `what was noted is known after a restart`() throws {
        try memory("n1").write(mac: mac, subnet: subnet)
        #expect(memory("n1").read() == (mac, subnet))
    }

    @Test func `a node does not take another's memory for its own`() throws {
        try memory("n1").write(mac: mac, subnet: subnet)
        #expect(memory("n2").read() == (nil, nil))
        #expect(memory("../n1").read() == (nil, nil))
    }

    @Test(arguments: ["n1", "Node.example.org", "a/b", "..", "é%", "n1%2F"])
    func `any name has a file of its own in the folder`(name: String) throws {
        try memory(name).write(mac: mac, subnet: nil)
        #expect(memory(name).read() == (mac, nil))
        #expect(folder.names.count == 1)
    }

    @Test(arguments: ["", "{", "[]", "{\"node\":\"n1\",\"mac\":7}", "{\"node\":\"n1\",\"mac\":\"x\",\"subnet\":\"y\"}"])
    func `a file that says nothing sensible is forgotten, not an error`(text: String) throws {
        _ = try folder.file("node-n1.json", text)
        #expect(memory("n1").read() == (nil, nil))
    }
}
