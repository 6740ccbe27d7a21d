// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import LinuxDataplane
import Netlink
import Testing

@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct DeviceTests {
    private func details(_ scene: DataplaneScene) async throws -> (link: [String: Any], vxlan: [String: Any]) {
        let link = try #require(try await scene.list("ip -d -j link show dev tartan.1").first)
        let info = try #require(link["linkinfo"] as? [String: Any])
        return (link, try #require(info["info_data"] as? [String: Any]))
    }

    private func addresses(_ scene: DataplaneScene) async throws -> [String] {
        let link = try #require(try await scene.list("ip -j addr show dev tartan.1").first)
        let infos = try #require(link["addr_info"] as? [[String: Any]])
        return infos.compactMap { info in
            guard let local = info["local"] as? String, let length = info["prefixlen"] as? Int else { return nil }
            return "\(local)/\(length)"
        }
    }

    @Test func `the device is made as ip would print it`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver, config: VXLANConfig(vni: 42, port: 4789, gbp: true)))
        let (link, vxlan) = try await details(scene)
        #expect(vxlan["id"] as? Int == 42 && vxlan["port"] as? Int == 4789)
        #expect(vxlan["local"] as? String == "192.168.7.1" && vxlan["link"] as? String == "eth0")
        #expect(vxlan["learning"] as? Bool == false && vxlan["gbp"] as? Bool == true)
        #expect(link["address"] as? String == "\(scene.mac)" && link["mtu"] as? Int == 1450)
        #expect((link["flags"] as? [String])?.contains("UP") == true)
        #expect(link["inet6_addr_gen_mode"] as? String == "none")
        #expect(try await addresses(scene) == ["10.244.1.0/32"], "and no link-local address")
        let namespace = try NetworkNamespace(name: scene.name)
        #expect(try namespace.setting("ipv6/conf/tartan.1/accept_ra") ?? "0" == "0")
    }

    @Test func `adopting a device that is as it should be changes nothing`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        #expect(await driver.apply(PeerPlan.additions(1...10)) == [])
        let index = try await details(scene).link["ifindex"] as? Int

        let watch = try scene.driver()
        let restarted = try scene.driver()
        let device = try await scene.device(restarted)
        #expect(try await restarted.existingMAC(ofDevice: "tartan.1") == scene.mac)
        let changes = try await scene.changes { try await restarted.prepare(device) }
        #expect(changes == [])
        #expect(try await details(scene).link["ifindex"] as? Int == index)
        _ = try await scene.device(watch)
        try await watch.prepare(device)
        #expect(try await restarted.seen() == watch.seen())
        #expect(try await restarted.seen().count == 40)
    }

    @Test(arguments: [
        "ip link set tartan.1 address 02:00:00:00:00:99", "ip link set tartan.1 mtu 1300", "ip link set tartan.1 down",
        "ip addr flush dev tartan.1", "ip addr add 10.244.99.0/32 dev tartan.1",
        "ip link set tartan.1 addrgenmode eui64",
        "ip link set tartan.1 type vxlan learning", "ip link set tartan.1 type vxlan local 192.168.7.1 dev lo",
    ])
    func `what somebody changed is mended in place`(change: String) async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        let device = try await scene.device(driver)
        try await driver.prepare(device)
        let before = try await details(scene)
        let addressesBefore = try await addresses(scene)
        try await scene.ip(change)
        try await driver.prepare(device)
        let after = try await details(scene)
        for key in ["ifindex", "address", "mtu", "inet6_addr_gen_mode"] {
            #expect("\(before.link[key] ?? "")" == "\(after.link[key] ?? "")", "\(key)")
        }
        for key in ["id", "port", "local", "link", "learning"] {
            #expect("\(before.vxlan[key] ?? "")" == "\(after.vxlan[key] ?? "")", "\(key)")
        }
        #expect((after.link["flags"] as? [String])?.contains("UP") == true)
        #expect(try await addresses(scene).filter { !$0.hasPrefix("fe80") } == addressesBefore)
    }

    @Test func `a device made with another port, VNI or flag gives way to a new one with the same MAC`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        for config in [VXLANConfig(port: 4789), VXLANConfig(vni: 9), VXLANConfig(gbp: true)] {
            try await driver.prepare(scene.device(driver, config: config))
            let (link, vxlan) = try await details(scene)
            #expect(vxlan["port"] as? Int == Int(config.port) && vxlan["id"] as? Int == Int(config.vni))
            #expect(link["address"] as? String == "\(scene.mac)")
        }
    }

    @Test func `a network's MTU that the underlay can't carry leaves the device alone`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        let device = try await scene.device(driver, config: VXLANConfig(mtu: 9000))
        try await driver.prepare(device)
        #expect(try await details(scene).link["mtu"] as? Int == 1450)
        let changes = try await scene.changes { try await driver.prepare(device) }
        #expect(changes == [])
    }

    @Test func `a device that can't be set up for the moment is not made anew`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        let device = try await scene.device(driver)
        try await driver.prepare(device)
        let index = try await details(scene).link["ifindex"] as? Int
        try await scene.ip("ip link set tartan.1 down && ip link set lo up")
        do {
            let occupant = try UDPEnd(in: scene.name, "0.0.0.0", port: device.port)
            await #expect(throws: DataplaneError.self) { try await driver.prepare(device) }
            withExtendedLifetime(occupant) {}
        }
        #expect(try await details(scene).link["ifindex"] as? Int == index)
        try await driver.prepare(device)
        #expect(try await details(scene).link["ifindex"] as? Int == index)
    }

    @Test func `set down and up between two looks, it is a device that was changed`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        _ = await driver.takeChanges()
        try await scene.ip("ip link set tartan.1 down && ip link set tartan.1 up")
        #expect(await driver.takeChanges().isDeviceChanged)
        #expect(await driver.takeChanges().isDeviceChanged == false)
    }

    @Test func `what preparing does to a device is no change by others`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        #expect(await driver.takeChanges().isDeviceChanged == false, "made")
        try await driver.prepare(scene.device(driver, config: VXLANConfig(port: 4789)))
        #expect(await driver.takeChanges().isDeviceChanged == false, "made anew")
        try await scene.ip("ip link set tartan.1 down && ip link set tartan.1 up")
        try await driver.prepare(scene.device(driver))
        #expect(await driver.takeChanges().isDeviceChanged, "what others did before is not forgotten")
    }

    @Test func `a device is removed by its name, if it is a VXLAN device, and that is no change by others`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver))
        try await driver.removeDevice(named: "tartan.1")
        try await driver.removeDevice(named: "eth0")
        #expect(try await scene.socket.link(named: "tartan.1") == nil)
        #expect(try await scene.socket.link(named: "eth0") != nil)
        #expect(await driver.takeChanges().isDeviceChanged == false)
    }

    @Test func `another subnet is another address, and while there is none the old one stays`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        try await driver.prepare(scene.device(driver, subnet: 1))
        var device = try await scene.device(driver, subnet: 2)
        device.address = nil
        try await driver.prepare(device)
        #expect(try await addresses(scene) == ["10.244.1.0/32"])
        try await driver.prepare(scene.device(driver, subnet: 2))
        #expect(try await addresses(scene) == ["10.244.2.0/32"])
    }

    @Test func `a device of that name that is no VXLAN device is left alone, and the sentence helps`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        _ = try await scene.socket.addBridge("tartan.1")
        let device = try await scene.device(driver)
        await #expect(
            throws: DataplaneError(
                remedy: .misconfigured,
                description:
                    "'tartan.1' is not a VXLAN device but of kind bridge; choose another name with --device")
        ) { try await driver.prepare(device) }
        #expect(try await scene.socket.link(named: "tartan.1")?.kind == .bridge)
        await #expect(throws: DataplaneError.self, "before anything is leased") {
            try await driver.existingMAC(ofDevice: "tartan.1")
        }
    }

    @Test func `what the kernel refuses of a device is told in a sentence`() async throws {
        let scene = try await DataplaneScene()
        let driver = try scene.driver()
        var device = try await scene.device(driver)
        device.name = "a-name-that-is-too-long"
        do {
            try await driver.prepare(device)
            Issue.record("the kernel takes 15 bytes")
        } catch {
            #expect(error.description.contains("a-name-that-is-too-long"))
            #expect(error.description.contains("ERANGE") || error.description.contains("EINVAL"), "\(error)")
        }
    }
}
