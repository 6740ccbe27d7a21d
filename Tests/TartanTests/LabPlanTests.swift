// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Testing

@testable import Lab

/// What of a lab is decided before anything is made.
@Suite struct LabPlanTests {
    @Test func `a namespace's name says whose it is, whatever the labs are called`() throws {
        let (short, long) = (try LabName("a"), try LabName("a-node1"))
        #expect(short.namespace(of: .node(1)) == "tartan-a-node1")
        #expect(short.place(of: "tartan-a-node1") == .node(1))
        #expect(short.place(of: long.namespace(of: .switch)) == nil)
        #expect(long.place(of: short.namespace(of: .node(1))) == nil)
        for name in ["tartan-a-node01", "tartan-a-node", "tartan-a-pod+1", "tartan-a-", "other", "tartan-a-node0"] {
            #expect(short.place(of: name) == nil, "\(name)")
        }
    }

    @Test(arguments: ["", "A", "a b", "../x", "-a", "é", String(repeating: "a", count: 33)])
    func `a name that would not do as a path or namespace is refused`(name: String) {
        #expect(throws: LabFault.self) { try LabName(name) }
    }

    @Test func `the underlay keeps out of the cluster's network`() throws {
        let tools = try #require(LabTools.standIn)
        func underlay(_ network: String) throws -> String {
            "\(try LabSettings(name: try LabName("a"), network: try IPv4Prefix(parsing: network), tools: tools).underlay)"
        }
        #expect(try underlay("10.244.0.0/16") == "172.20.0.0/16")
        #expect(try underlay("172.16.0.0/12") == "192.168.0.0/16")
        #expect(try underlay("128.0.0.0/1") == "172.20.0.0/16")
    }

    @Test func `nodes and pods are numbered without gap`() throws {
        let tools = try #require(LabTools.standIn)
        let settings = try LabSettings(
            name: try LabName("a"), nodes: 2, pods: 2, network: try IPv4Prefix(parsing: "10.244.0.0/16"), tools: tools)
        #expect(Array(settings.pods(ofNode: 1)) == [1, 2])
        #expect(Array(settings.pods(ofNode: 2)) == [3, 4])
        #expect("\(settings.address(ofNode: 250))" == "172.20.1.4")
        #expect(throws: LabFault.self) {
            try LabSettings(name: settings.name, nodes: 251, network: settings.network, tools: tools)
        }
    }

    @Test func `a subnet file is read as a network plugin reads it`() throws {
        let text = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.20.1/24\nFLANNEL_MTU=1450\nX=y=z\n"
        let published = try #require(PublishedSubnet(text))
        #expect("\(published.subnet)" == "10.244.20.0/24")
        #expect("\(published.gateway)" == "10.244.20.1")
        #expect(published.mtu == 1450)
        #expect(published.ipv4?.address(ofPod: 0).map { "\($0)" } == "10.244.20.2")
        #expect(published.ipv4?.address(ofPod: 252).map { "\($0)" } == "10.244.20.254")
        #expect(published.ipv4?.address(ofPod: 253) == nil)
        let ipv6 = try #require(PublishedSubnet("FLANNEL_IPV6_SUBNET=fd00:0:0:14::1/64\nFLANNEL_MTU=1430\n"))
        #expect(ipv6.subnet == "fd00:0:0:14::/64" && ipv6.gateway == "fd00:0:0:14::1" && ipv6.ipv4 == nil)
        #expect(ipv6.ipv6?.address(ofPod: 0).map { "\($0)" } == "fd00:0:0:14::2")
        #expect(PublishedSubnet("FLANNEL_SUBNET=10.244.20.1/24\n") == nil)
        #expect(PublishedSubnet("FLANNEL_SUBNET=x\nFLANNEL_MTU=1450") == nil)
    }

    @Test(arguments: [
        LabKeeper.Event.ready, .progress("making pods"), .failed(LabFault(.conflict, "it is up")),
    ])
    func `what a keeper says is heard as it was meant`(event: LabKeeper.Event) {
        #expect(LabKeeperReport.event(LabKeeperReport.line(event)) == event)
    }

    @Test func `what a keeper says is one line, and a line of somebody else is shown`() {
        #expect(!LabKeeperReport.line(.progress("a\nb\tc")).contains("\n"))
        #expect(LabKeeperReport.event("Fatal error: x") == .progress("Fatal error: x"))
        #expect(LabKeeperReport.event("failed\tnonsense\tx") == .progress("failed\tnonsense\tx"))
    }

    @Test func `a process is known by number and start, so that a number used again is another process`() throws {
        let own = try #require(ProcessTable.Identity(number: ProcessTable.ownNumber))
        #expect(own.isRunning)
        #expect(ProcessTable.Identity(own.description) == own)
        let other = try #require(ProcessTable.Identity("\(own.number) \(own.startTime + 1)"))
        #expect(!other.isRunning)
        for text in ["", "1", "x y", "-1 5", "1 2 3"] { #expect(ProcessTable.Identity(text) == nil) }
    }
}

extension LabTools {
    /// Programs that are there, for what is not run.
    fileprivate static var standIn: LabTools? { try? LabTools(tartan: "/bin/sh", tartand: "/bin/sh") }
}
