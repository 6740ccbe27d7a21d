// SPDX-License-Identifier: Apache-2.0

import CNITestKit
import JSONText
import Netlink
import Testing

/// The specification 1.1.0, point by point, by the program in real namespaces.
///
/// | section | words | test |
/// | --- | --- | --- |
/// | Parameters | `CNI_CONTAINERID` … must start with an alphanumeric character | `ParameterTests` |
/// | Parameters | `CNI_IFNAME` … must comply with the restrictions on interface names | `ParameterTests` |
/// | Errors | "a non-zero return code" and `cniVersion`, `code`, `msg` on stdout | every refusal here |
/// | ADD | "creates the interface CNI_IFNAME inside the container at CNI_NETNS" | `ADD makes the interface …` |
/// | ADD | "must output a JSON result … including interfaces, ips, routes, dns" | `ADD makes the interface …`, `ResultTests` |
/// | ADD | "If an interface of the requested name already exists, MUST return with an error" | `an interface of that name …` |
/// | ADD | "A runtime should not call ADD twice" | `a second ADD is refused …` |
/// | ADD | with `prevResult`: "must pass it through, with modifications" | `ADD behind another plugin …` |
/// | DEL | "delete the interface … or undo the modifications" | `DEL takes away …` |
/// | DEL | "should generally complete without error even if some resources are missing" | `DEL succeeds …` |
/// | DEL | "release an IP allocation … even if the network namespace no longer exists" | `DEL succeeds …` |
/// | DEL | "MUST accept multiple DEL calls for the same (ID, ifname)" | `DEL takes away …` |
/// | CHECK | "must consult the prevResult" | `CHECK needs …` |
/// | CHECK | "must return an error if a resource … listed in prevResult is missing" | `CHECK finds …` |
/// | CHECK | "must allow for a later chained plugin to have modified resources" | `CHECK lets others …` |
/// | GC | "should clean up … any resources not on the list of valid attachments" | `GC takes away …` |
/// | GC | "should complete without error … report errors back" | `GC does the rest …` |
/// | STATUS | "must return an error if it can't service ADD requests", codes 50 and 51 | `STATUS says …` |
/// | VERSION | "the supported versions", cniVersion as given | `VERSION lists …` |
/// | Version | "an incompatible version: error code 1" | `ParameterTests` |
/// | Delegation | execution of the delegate for every operation | `DelegateTests` |
@Suite(.enabled(if: Means.areThere, Means.reason)) struct SpecificationTests {
    @Test func `ADD makes the interface, its address and its routes, and says so`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let result = try scene.add("c1", pod)

        #expect(result["cniVersion"] == .string("1.1.0"))
        #expect(result["interfaces"]?.count == 3)
        #expect(result["interfaces"]?[0]?["name"] == .string("cni0"))
        #expect(result["interfaces"]?[0]?["sandbox"] == nil)
        #expect(result["interfaces"]?[2]?["name"] == .string("eth0"))
        #expect(result["interfaces"]?[2]?["sandbox"] == .string(pod.path))
        #expect(result["interfaces"]?[2]?["mtu"] == .number("1400"))
        #expect(
            try result["ips"]
                == JSONValue(#"[{"interface":2,"address":"10.99.1.2/24","gateway":"10.99.1.1"}]"#))
        #expect(
            try result["routes"] == JSONValue(#"[{"dst":"10.99.0.0/16"},{"dst":"0.0.0.0/0","gw":"10.99.1.1"}]"#))
        #expect(try result["dns"] == JSONValue("{}"))

        let seen = try scene.look("ip -o addr show eth0; ip route; ip link show eth0", in: pod.name)
        #expect(seen.contains("inet 10.99.1.2/24 brd 10.99.1.255 scope global eth0"))
        #expect(seen.contains("default via 10.99.1.1 dev eth0"))
        #expect(seen.contains("10.99.0.0/16 via 10.99.1.1 dev eth0"))
        #expect(seen.contains("mtu 1400"))
        let mac = try #require(result["interfaces"]?[2]?["mac"]?.text)
        #expect(seen.contains("link/ether \(mac)"))
        #expect(try scene.look("ip -o addr show cni0").contains("10.99.1.1/24"))
        #expect(try scene.look("cat /proc/sys/net/ipv4/ip_forward") == "1\n")
        #expect(try scene.look("ping -c1 -W2 10.99.1.1", in: pod.name).contains("1 received"))
    }

    @Test func `a dual-stack pod has an address, a default route and a reachable gateway of each family`() throws {
        let scene = try Scene(ipv6Subnet: "fd00:99:0:1::1/64")
        let pod = try scene.host.makePod()
        let result = try scene.add("c1", pod)
        #expect(result["ips"]?.count == 2)
        #expect(result["ips"]?[1]?["address"] == .string("fd00:99:0:1::2/64"))
        #expect(result["ips"]?[1]?["gateway"] == .string("fd00:99:0:1::1"))
        let seen = try scene.look("ip -6 -o addr show eth0; ip -6 route", in: pod.name)
        #expect(seen.contains("fd00:99:0:1::2/64 scope global"))
        #expect(!seen.contains("tentative"))
        #expect(seen.contains("default via fd00:99:0:1::1"))
        #expect(seen.contains("fd00:99::/48 via fd00:99:0:1::1"))
        #expect(try scene.look("ping -c1 -W2 fd00:99:0:1::1", in: pod.name).contains("1 received"))
        #expect(try scene.look("cat /proc/sys/net/ipv6/conf/all/forwarding") == "1\n")
        #expect(try scene.run("DEL", "c1", pod).status == 0)
        #expect(scene.reserved.isEmpty)
    }

    @Test func `two pods reach each other over the bridge`() throws {
        let scene = try Scene()
        let pods = (try scene.host.makePod(), try scene.host.makePod())
        _ = try scene.add("c1", pods.0)
        let second = try #require(try scene.add("c2", pods.1).address())
        #expect(second == "10.99.1.3")
        #expect(try scene.look("ping -c1 -W2 \(second)", in: pods.0.name).contains("1 received"))
    }

    @Test func `an interface of that name in the container is an error that leaves nothing`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        _ = try scene.look("ip link add eth0 type bridge", in: pod.name)
        let outcome = try scene.run("ADD", "c1", pod)
        #expect(outcome.status == 1)
        #expect(outcome.code == 102)
        #expect(scene.reserved.isEmpty)
        #expect(try scene.podLinks().isEmpty)
    }

    @Test func `a second ADD is refused and the first stays whole`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let first = try scene.add("c1", pod)
        let second = try scene.run("ADD", "c1", pod)
        #expect(second.code == 102)
        #expect(second.message.contains("10.99.1.2"))
        #expect(scene.reserved == ["10.99.1.2"])
        let check = try scene.run("CHECK", "c1", pod, scene.host.configuration([.init("prevResult", first)]))
        #expect(check.status == 0, "\(check.message)")
    }

    @Test func `one container has several interfaces of one network`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        _ = try scene.add("c1", pod)
        let second = try scene.add("c1", pod, interface: "net1")
        #expect(second.address() == "10.99.1.3")
        #expect(try scene.run("DEL", "c1", pod, interface: "net1").status == 0)
        #expect(scene.reserved == ["10.99.1.2"])
        // Its default route was the first interface's all along.
        #expect(try scene.look("ip route", in: pod.name).contains("default via 10.99.1.1 dev eth0"))
    }

    @Test func `ADD behind another plugin passes on what that made`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let previous = try JSONValue(
            #"{"cniVersion":"1.1.0","interfaces":[{"name":"tun0","socketPath":"/run/x"}],"ips":[{"address":"192.0.2.7/24","#
                + #""interface":0}],"routes":[{"dst":"192.0.2.0/24","mtu":1280}],"dns":{"nameservers":["192.0.2.1"]}}"#)
        let result = try scene.add("c1", pod, scene.host.configuration([.init("prevResult", previous)]))
        #expect(result["interfaces"]?.count == 4)
        #expect(result["interfaces"]?[0] == previous["interfaces"]?[0])
        #expect(result["ips"]?[0] == previous["ips"]?[0])
        #expect(result["ips"]?[1]?["interface"] == .number("3"))
        #expect(result["routes"]?[0] == previous["routes"]?[0])
        #expect(result["dns"] == previous["dns"])
    }

    @Test func `DEL takes away link and address, and does so twice`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let result = try scene.add("c1", pod)
        let configuration = scene.host.configuration([.init("prevResult", result)])
        for _ in 0..<2 {
            let outcome = try scene.run("DEL", "c1", pod, configuration)
            #expect(outcome.status == 0)
            #expect(outcome.output.isEmpty)
            #expect(scene.reserved.isEmpty)
            #expect(try scene.podLinks().isEmpty)
            #expect(!(try scene.look("ip link", in: pod.name)).contains("eth0"))
        }
        // At once again, under the same names.
        #expect(try scene.add("c1", pod).address() == "10.99.1.3")
    }

    @Test func `DEL succeeds without namespace, subnet file or anything else`() throws {
        let scene = try Scene()
        #expect(try scene.run("DEL", "never-added", nil).status == 0)
        #expect(!File.exists(scene.host.addressFolder()))
        let pods = (try scene.host.makePod(), try scene.host.makePod())
        _ = try scene.add("c1", pods.0)
        _ = try scene.add("c2", pods.1)
        try scene.host.remove(pods.0)
        try File.remove(scene.host.subnetFile)
        #expect(try scene.run("DEL", "c1", pods.0).status == 0)
        // The runtime does not know it, and it is still there.
        #expect(try scene.run("DEL", "c2", nil).status == 0)
        #expect(scene.reserved.isEmpty)
        #expect(!(try scene.look("ip link", in: pods.1.name)).contains("eth0"))
    }

    @Test func `CHECK needs the result of the ADD`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        _ = try scene.add("c1", pod)
        #expect(try scene.run("CHECK", "c1", pod).code == 7)
    }

    @Test(arguments: [
        ("pod", "ip addr del 10.99.1.2/24 dev eth0", "10.99.1.2/24"), ("pod", "ip route del default", "0.0.0.0/0"),
        ("pod", "ip link set eth0 down", "set down"), ("pod", "ip link set eth0 name eth9", "no interface eth0"),
        ("pod", "ip link set eth0 address 02:00:00:00:00:01", "MAC"),
        ("host", "ip addr del 10.99.1.1/24 dev cni0", "gateway"),
        ("host", "ip link set $(ls /sys/class/net | grep veth || ip -o link | grep -o 'veth[^@]*') nomaster", "port"),
        ("host", "ip link del cni0", "bridge"), ("host", "rm $FOLDER/10.99.1.2", "kept"),
        ("host", "echo c9 > $FOLDER/10.99.1.2", "kept"),
    ])
    func `CHECK finds what is missing`(place: String, harm: String, word: String) throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let result = try scene.add("c1", pod)
        let configuration = scene.host.configuration([.init("prevResult", result)])
        #expect(try scene.run("CHECK", "c1", pod, configuration).status == 0)
        let line = "FOLDER=\(scene.host.addressFolder()); " + harm
        #expect(try scene.look(line, in: place == "pod" ? pod.name : nil) == "")
        let outcome = try scene.run("CHECK", "c1", pod, configuration)
        #expect(outcome.status == 1)
        #expect(outcome.code == 104)
        #expect(outcome.message.contains(word), "\(outcome.message)")
    }

    @Test func `CHECK lets others have changed what is theirs`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        var result = try scene.add("c1", pod)
        // A later plugin of the chain has added an interface, an address on it, and a route.
        _ = try scene.look(
            "ip addr add 192.0.2.1/24 dev eth0; ip route add 198.51.100.0/24 via 10.99.1.1", in: pod.name)
        guard case .array(let interfaces)? = result["interfaces"], case .array(let addresses)? = result["ips"] else {
            throw Missing()
        }
        result.set("interfaces", .array(interfaces + [try JSONValue(#"{"name":"tap0","sandbox":"/elsewhere"}"#)]))
        result.set("ips", .array(addresses + [try JSONValue(#"{"address":"203.0.113.9/32","interface":3}"#)]))
        let outcome = try scene.run("CHECK", "c1", pod, scene.host.configuration([.init("prevResult", result)]))
        #expect(outcome.status == 0, "\(outcome.message)")
    }

    private struct Missing: Error {}

    @Test func `GC takes away what is not on the list, and no more`() throws {
        let scene = try Scene()
        let pods = try (0..<3).map { _ in try scene.host.makePod() }
        for (index, pod) in pods.enumerated() { _ = try scene.add("c\(index)", pod) }
        let list = try JSONValue(
            #"[{"containerID":"c1","ifname":"eth0"},{"containerID":"c2","ifname":"net7"}]"#)
        let configuration = scene.host.configuration([.init("cni.dev/valid-attachments", list)])
        let outcome = try scene.run("GC", "", nil, configuration, interface: "")
        #expect(outcome.status == 0, "\(outcome.message)")
        #expect(outcome.output.isEmpty)
        #expect(scene.reserved == ["10.99.1.3"])
        #expect(try scene.podLinks().count == 1)
        #expect(try scene.look("ip -o addr", in: pods[1].name).contains("10.99.1.3"))
        #expect(!(try scene.look("ip link", in: pods[0].name)).contains("eth0"))
        // Without a list nothing is known to be stale.
        #expect(try scene.run("GC", "", nil, interface: "").code == 7)
        #expect(scene.reserved == ["10.99.1.3"])
    }

    @Test func `GC does the rest and then reports a damaged file, which it leaves`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        _ = try scene.add("c1", pod)
        try File.write("", to: scene.host.addressFolder() + "/10.99.1.77")
        let configuration = scene.host.configuration([.init("cni.dev/valid-attachments", .array([]))])
        let outcome = try scene.run("GC", "", nil, configuration, interface: "")
        #expect(outcome.code == 105)
        #expect(outcome.message.contains("/10.99.1.77"))
        #expect(scene.reserved == ["10.99.1.77"])
    }

    @Test func `STATUS says whether a pod could be added`() throws {
        let scene = try Scene()
        #expect(try scene.run("STATUS", "", nil, interface: "").status == 0)
        try scene.writeSubnet("10.99.1.1/24", more: "TARTAN_LEASE=lost\n")
        #expect(try scene.run("STATUS", "", nil, interface: "").code == 51)
        let pod = try scene.host.makePod()
        #expect(try scene.run("ADD", "c1", pod).code == 51)
        try File.write("FLANNEL_NETWORK=10.99.0.0/16\n", to: scene.host.subnetFile)
        #expect(try scene.run("STATUS", "", nil, interface: "").code == 50)
        try File.remove(scene.host.subnetFile)
        let outcome = try scene.run("STATUS", "", nil, interface: "")
        #expect(outcome.status == 1)
        #expect(outcome.code == 50)
        #expect(outcome.message.contains(scene.host.subnetFile))
        // The kubelet tries again later, and succeeds when the daemon has written the file.
        #expect(try scene.run("ADD", "c1", pod).code == 11)
        #expect(scene.reserved.isEmpty)
        try scene.writeSubnet("10.99.1.1/24")
        _ = try scene.add("c1", pod)
    }

    @Test func `VERSION lists the versions, in the version of the question`() throws {
        let scene = try Scene()
        let configuration = try JSONValue(#"{"cniVersion":"0.4.0"}"#)
        let outcome = try scene.run("VERSION", "", nil, configuration, interface: "")
        #expect(
            try outcome.json
                == JSONValue(
                    #"{"cniVersion":"0.4.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}"#))
    }

    @Test func `a container that is gone needs no cleaning up`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        try scene.host.remove(pod)
        #expect(try scene.run("ADD", "c1", pod).code == 3)
        #expect(scene.reserved.isEmpty)
    }

    @Test func `the host's own namespace is not taken for a container`() throws {
        let scene = try Scene()
        #expect(try scene.run("ADD", "c1", PodHost.Pod(name: scene.host.namespace)).code == 4)
    }
}
