// SPDX-License-Identifier: Apache-2.0

import CNITestKit
import JSONText
import Netlink
import Testing

/// The bridge and its options, the host's changes under running pods, and failures in the middle.
@Suite(.enabled(if: Means.areThere, Means.reason)) struct NetworkTests {
    private func member(_ text: String) throws -> [JSONValue.Member] {
        guard case .object(let members) = try JSONValue("{\(text)}") else { return [] }
        return members
    }

    @Test func `the bridge has the configured name, MTU and modes, and its MAC address stays`() throws {
        let scene = try Scene()
        let pods = (try scene.host.makePod(), try scene.host.makePod())
        let configuration = try scene.host.configuration(
            member(#""bridge":"podbr","mtu":1300,"promiscMode":true"#))
        let first = try scene.add("c1", pods.0, configuration)
        let seen = try scene.look("ip link show podbr; ip -d link show master podbr")
        #expect(seen.contains("PROMISC"))
        #expect(seen.contains("mtu 1300"))
        #expect(try scene.look("ip link show eth0", in: pods.0.name).contains("mtu 1300"))
        let second = try scene.add("c2", pods.1, configuration)
        #expect(first["interfaces"]?[0] == second["interfaces"]?[0])
    }

    @Test func `hairpin mode is the port's`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        _ = try scene.add("c1", pod, scene.host.configuration(member(#""hairpinMode":true"#)))
        #expect(try scene.look("ip -d link show master cni0").contains("hairpin on"))
        let other = try scene.host.makePod()
        _ = try scene.add("c2", other)
        #expect(try scene.look("ip -d link show master cni0").contains("hairpin off"))
    }

    @Test(.enabled(if: Means.haveVLANs, "this kernel's bridges have no VLANs (CONFIG_BRIDGE_VLAN_FILTERING)"))
    func `pods of a VLAN have their own interface on the host`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        _ = try scene.add("c1", pod, scene.host.configuration(member(#""vlan":7"#)))
        #expect(try scene.look("ip -o addr show cni0.7").contains("10.99.1.1/24"))
        #expect(try scene.look("bridge vlan").contains("7 PVID Egress Untagged"))
        #expect(try scene.look("ping -c1 -W2 10.99.1.1", in: pod.name).contains("1 received"))
    }

    @Test(.enabled(if: !Means.haveVLANs, "this kernel has VLANs on bridges"))
    func `a VLAN that the kernel can't make is an error that says so and leaves nothing`() throws {
        let scene = try Scene()
        let outcome = try scene.run(
            "ADD", "c1", try scene.host.makePod(), scene.host.configuration(member(#""vlan":7"#)))
        #expect(outcome.code == 103)
        #expect(outcome.message.contains("kernel lacks"))
        #expect(scene.reserved.isEmpty)
    }

    @Test func `a bridge without gateway has no address, and the pod no default route`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let result = try scene.add("c1", pod, scene.host.configuration(member(#""isGateway":false"#)))
        #expect(try result["routes"] == JSONValue(#"[{"dst":"10.99.0.0/16"}]"#))
        #expect(!(try scene.look("ip -o -4 addr show cni0")).contains("inet"))
    }

    @Test func `routes of the configuration are the pod's, with their attributes`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let ipam =
            #""ipam":{"dataDir":"\#(scene.host.folder)/networks","routes":[{"dst":"192.0.2.0/24","mtu":1200,"#
            + #""advmss":1100,"priority":9},{"dst":"198.51.100.0/24","gw":"10.99.1.9","table":77}]}"#
        let result = try scene.add("c1", pod, scene.host.configuration(member(ipam)))
        #expect(result["routes"]?[0]?["mtu"] == .number("1200"))
        let seen = try scene.look("ip route; ip route show table 77", in: pod.name)
        #expect(seen.contains("192.0.2.0/24 via 10.99.1.1 dev eth0 metric 9 mtu 1200 advmss 1100"))
        #expect(seen.contains("198.51.100.0/24 via 10.99.1.9 dev eth0"))
        let check = try scene.run(
            "CHECK", "c1", pod, scene.host.configuration(member(ipam) + [.init("prevResult", result)]))
        #expect(check.status == 0, "\(check.message)")
    }

    @Test func `a bridge that somebody made is adopted, and then keeps its MAC address`() throws {
        let scene = try Scene()
        _ = try scene.look("ip link add name cni0 type bridge")
        _ = try scene.add("c1", try scene.host.makePod())
        let line = "ip -o link show cni0 | grep -o 'ether [^ ]*'"
        let mac = try scene.look(line)
        for number in 2...5 {
            let pod = try scene.host.makePod()
            _ = try scene.add("c\(number)", pod)
            #expect(try scene.look("ping -c1 -W2 10.99.1.1", in: pod.name).contains("1 received"))
        }
        #expect(try scene.look(line) == mac)
    }

    @Test func `a bridge that somebody gave the gateway's address serves as it is`() throws {
        let scene = try Scene()
        _ = try scene.look("ip link add name cni0 type bridge; ip addr add 10.99.1.1/24 dev cni0; ip link set cni0 up")
        let pod = try scene.host.makePod()
        _ = try scene.add("c1", pod)
        #expect(try scene.look("ping -c1 -W2 10.99.1.1", in: pod.name).contains("1 received"))
        #expect(try scene.look("ip -o -4 addr show cni0 | wc -l") == "1\n")
    }

    @Test func `what is there and is no bridge is left alone`() throws {
        let scene = try Scene()
        _ = try scene.look("ip link add name cni0 type veth peer name other")
        let outcome = try scene.run("ADD", "c1", try scene.host.makePod())
        #expect(outcome.code == 7)
        #expect(try scene.look("ip -d link show cni0").contains("veth"))
        #expect(scene.reserved.isEmpty)
    }

    @Test func `what has the gateway's address and is no bridge is an error too, and nothing is left`() throws {
        let scene = try Scene()
        _ = try scene.look(
            "ip link add name cni0 type veth peer name other; ip addr add 10.99.1.1/24 dev cni0; ip link set cni0 up")
        let pod = try scene.host.makePod()
        let outcome = try scene.run("ADD", "c1", pod)
        #expect(outcome.code == 7)
        #expect(outcome.message.contains("is no bridge"), "\(outcome.message)")
        #expect(scene.reserved.isEmpty)
        #expect(try scene.podLinks().isEmpty)
        #expect(!(try scene.look("ip link", in: pod.name)).contains("eth0"))
    }

    @Test func `a foreign address on the bridge is an error, and goes only by force`() throws {
        let scene = try Scene()
        _ = try scene.look("ip link add name cni0 type bridge; ip addr add 192.0.2.1/24 dev cni0")
        let pod = try scene.host.makePod()
        let refused = try scene.run("ADD", "c1", pod)
        #expect(refused.code == 7)
        #expect(refused.message.contains("192.0.2.1"))
        #expect(scene.reserved.isEmpty)
        _ = try scene.add("c1", pod, scene.host.configuration(member(#""forceAddress":true"#)))
        #expect(!(try scene.look("ip addr show cni0")).contains("192.0.2.1"))
    }

    @Test func `a changed subnet is noticed: new pods get the new one, CHECK fails for the old`() throws {
        let scene = try Scene()
        let pods = (try scene.host.makePod(), try scene.host.makePod())
        let old = try scene.add("old", pods.0)
        try scene.writeSubnet("10.99.7.1/24")
        let check = try scene.run("CHECK", "old", pods.0, scene.host.configuration([.init("prevResult", old)]))
        #expect(check.code == 104)
        #expect(check.message.contains("10.99.7.0/24"))
        let new = try scene.add("new", pods.1)
        #expect(new.address() == "10.99.7.2")
        // The way to the old subnet, which is another node's now, does not end on this bridge.
        #expect(try scene.look("ip -o -4 addr show cni0").contains("10.99.7.1/24"))
        #expect(!(try scene.look("ip route")).contains("10.99.1.0/24"))
        #expect(try scene.look("ping -c1 -W2 10.99.7.1", in: pods.1.name).contains("1 received"))
        #expect(try scene.run("DEL", "old", pods.0).status == 0)
        #expect(scene.reserved == ["10.99.7.2"])
    }

    @Test func `the host learns at once that an address has moved to another pod`() throws {
        let scene = try Scene(ipv6Subnet: "fd00:99:0:1::1/64")
        _ = try scene.add("c0", try scene.host.makePod())
        for address in ["10.99.1.9", "fd00:99:0:1::9"] {
            _ = try scene.look("ip neigh replace \(address) lladdr 02:00:00:00:00:99 dev cni0 nud reachable")
        }
        let wishes = #""runtimeConfig":{"ips":["10.99.1.9","fd00:99:0:1::9"],"mac":"02:00:00:00:00:42"}"#
        let result = try scene.add("c1", try scene.host.makePod(), scene.host.configuration(member(wishes)))
        #expect(result["interfaces"]?[2]?["mac"] == .string("02:00:00:00:00:42"))
        for address in ["10.99.1.9", "fd00:99:0:1::9"] {
            let isKnown = try Deadline.reached {
                try scene.look("ip neigh show \(address) dev cni0").contains("02:00:00:00:00:42")
            }
            #expect(isKnown, "\(address)")
        }
    }

    @Test func `masquerading is the plugin's where it is not the daemon's, and goes with the pods`() throws {
        let scene = try Scene(ipv6Subnet: "fd00:99:0:1::1/64", masquerade: false)
        guard case .object(let members) = scene.host.configuration() else { return }
        let configuration = JSONValue.object(members.filter { $0.name != "ipMasq" })
        let pods = (try scene.host.makePod(), try scene.host.makePod())
        _ = try scene.add("c1", pods.0, configuration)
        _ = try scene.look("nft flush ruleset")
        _ = try scene.add("c2", pods.1, configuration)
        let rules = try scene.look("nft list ruleset")
        #expect(rules.contains("ip saddr @pods4 ip daddr != { 10.99.0.0/16, 224.0.0.0/4 } masquerade"))
        #expect(rules.contains("ip6 saddr @pods6"))
        #expect(rules.contains("10.99.1.3"))
        #expect(try scene.run("DEL", "c2", pods.1, configuration).status == 0)
        #expect(!(try scene.look("nft list ruleset")).contains("10.99.1.3"))
        let collect = configuration.with("cni.dev/valid-attachments", .array([]))
        #expect(try scene.run("GC", "", nil, collect, interface: "").status == 0)
        #expect(try scene.look("nft list ruleset") == "")
        // Said by the configuration, whatever the daemon does.
        _ = try scene.add("c3", pods.1, configuration.with("ipMasq", .bool(false)))
        #expect(try scene.look("nft list ruleset") == "")
    }

    @Test func `a masqueraded pod's packets leave with the node's address, but not inside the cluster`() throws {
        let scene = try Scene(masquerade: false)
        let pod = try scene.host.makePod()
        let outside = try scene.host.makePod()
        guard case .object(let members) = scene.host.configuration() else { return }
        _ = try scene.add("c1", pod, JSONValue.object(members.filter { $0.name != "ipMasq" }))
        _ = try scene.look(
            """
            ip link add uplink type veth peer name up0 netns \(outside.name); ip addr add 192.0.2.1/24 dev uplink
            ip addr add 10.99.200.1/24 dev uplink; ip link set uplink up
            """)
        // No way back to the pods: only who is masqueraded gets an answer.
        _ = try scene.look(
            "ip addr add 192.0.2.2/24 dev up0; ip addr add 10.99.200.2/24 dev up0; ip link set up0 up", in: outside.name
        )
        #expect(try scene.look("ping -c1 -W2 192.0.2.2", in: pod.name).contains("1 received"))
        #expect(try scene.look("ping -c1 -W1 10.99.200.2", in: pod.name).contains("0 received"))
    }

    @Test func `a full disk is an error that says so and leaves nothing`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let folder = scene.host.addressFolder()
        try File.write("", to: "\(folder)/lock")
        // Four inodes: the folder, the lock, and two files; the second address has none left.
        let mount = try scene.look("mount -t tmpfs -o size=8k,nr_inodes=4 none \(folder)")
        try #require(mount.isEmpty, "\(mount)")
        defer { _ = try? scene.look("umount \(folder)") }
        _ = try scene.add("c1", pod)
        let other = try scene.host.makePod()
        let outcome = try scene.run("ADD", "c2", other)
        #expect(outcome.code == 5)
        #expect(outcome.message.contains("No space left on device; free some space"))
        #expect(scene.reserved == ["10.99.1.2"])
        #expect(File.read("\(folder)/10.99.1.2") == "c1\r\neth0")
        #expect(!(try scene.look("ip link", in: other.name)).contains("eth0"))
        #expect(try scene.run("DEL", "c1", pod).status == 0)
        _ = try scene.add("c2", other)
    }
}
