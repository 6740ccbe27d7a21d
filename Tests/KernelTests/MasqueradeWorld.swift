// SPDX-License-Identifier: Apache-2.0

import Netlink
import Testing

/// A node with a pod, a client that is no pod, and what is outside, each a namespace:
///
///     pod 10.244.1.2 ──┐
///                      node 198.51.100.1 ── 198.51.100.2 outside; 10.244.2.2, a pod of another node, is there too
///     client 192.0.2.2 ┘
///
/// Everything routes without masquerading, so that what a packet's sender is shows what the node did to it.
final class MasqueradeWorld {
    enum Family: CaseIterable { case ipv4, ipv6 }
    enum Place { case pod, client, node, outside, peerPod }

    private let namespaces = TestNamespaces()
    let node: String
    private let pod: String
    private let client: String
    private let outside: String

    init() throws {
        node = try namespaces.make()
        pod = try namespaces.make()
        client = try namespaces.make()
        outside = try namespaces.make()
        try connect(pod, "p0", node: "10.244.1.1/24 fd00:244:0:1::1/64", other: "10.244.1.2/24 fd00:244:0:1::2/64")
        try connect(client, "c0", node: "192.0.2.1/24 2001:db8:1::1/64", other: "192.0.2.2/24 2001:db8:1::2/64")
        try connect(outside, "o0", node: "198.51.100.1/24 2001:db8:2::1/64", other: "198.51.100.2/24 2001:db8:2::2/64")
        for name in [pod, client, outside] {
            let (ipv4, ipv6) =
                name == pod
                ? ("10.244.1.1", "fd00:244:0:1::1")
                : name == client ? ("192.0.2.1", "2001:db8:1::1") : ("198.51.100.1", "2001:db8:2::1")
            try Command.run(in: name, "ip", "route", "add", "default", "via", ipv4)
            try Command.run(in: name, "ip", "-6", "route", "add", "default", "via", ipv6)
        }
        try Command.run(in: outside, "ip", "address", "add", "10.244.2.2/32", "dev", "lo")
        try Command.run(in: outside, "ip", "address", "add", "fd00:244:0:2::2/128", "dev", "lo", "nodad")
        try Command.run(in: node, "ip", "route", "add", "10.244.2.0/24", "via", "198.51.100.2")
        try Command.run(in: node, "ip", "-6", "route", "add", "fd00:244:0:2::/64", "via", "2001:db8:2::2")
        try Command.run(in: node, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        try Command.run(in: node, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
    }

    private func connect(_ other: String, _ name: String, node addresses: String, other others: String) throws {
        try Command.run(in: node, "ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", other)
        for (namespace, link, list) in [(node, name, addresses), (other, "eth0", others)] {
            for address in list.split(separator: " ").map(String.init) {
                let options = address.contains(":") ? ["nodad"] : []
                try Command.run(in: namespace, words: ["ip", "address", "add", address, "dev", link] + options)
            }
            try Command.run(in: namespace, "ip", "link", "set", link, "up")
        }
    }

    func address(of place: Place, _ family: Family) -> String {
        switch (place, family) {
        case (.pod, .ipv4): "10.244.1.2"
        case (.pod, .ipv6): "fd00:244:0:1::2"
        case (.client, .ipv4): "192.0.2.2"
        case (.client, .ipv6): "2001:db8:1::2"
        case (.node, .ipv4): "198.51.100.1"
        case (.node, .ipv6): "2001:db8:2::1"
        case (.outside, .ipv4): "198.51.100.2"
        case (.outside, .ipv6): "2001:db8:2::2"
        case (.peerPod, .ipv4): "10.244.2.2"
        case (.peerPod, .ipv6): "fd00:244:0:2::2"
        }
    }

    private func namespace(of place: Place) -> String {
        switch place {
        case .pod: pod
        case .client: client
        case .node: node
        case .outside, .peerPod: outside
        }
    }

    /// Whose address a datagram bears when it arrives; that its answer finds back is checked too.
    func sender(from: Place, to: Place, _ family: Family) throws -> String {
        let server = try UDPEnd(in: namespace(of: to), address(of: to, family))
        let client = try UDPEnd(in: namespace(of: from), address(of: from, family))
        try client.send("question", to: address(of: to, family), port: server.port)
        let question = try server.receive()
        #expect(question.text == "question")
        try server.send("answer", to: question.sender, port: question.port)
        let answer = try client.receive()
        #expect(answer.text == "answer" && answer.sender == address(of: to, family))
        return question.sender
    }
}
