// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import LinuxDataplane
import Netlink
import Testing

@Suite(.enabled(if: TestNamespaces.isPermitted, TestNamespaces.reason))
struct UnderlayTests {
    /// eth0 192.168.7.1, eth1 192.168.8.1 and .2 with IPv6, bare0 without an address.
    private func scene() async throws -> (DataplaneScene, LinuxDataplaneDriver) {
        let scene = try await DataplaneScene()
        try await scene.ip("ip link add eth1 type bridge && ip link set eth1 up mtu 1400")
        try await scene.ip("ip addr add 169.254.3.3/16 dev eth1 && ip addr add 192.168.8.1/24 dev eth1")
        try await scene.ip("ip addr add 192.168.8.2/24 dev eth1 && ip addr add fd00:8::1/64 dev eth1 nodad")
        try await scene.ip("ip link add bare0 type bridge")
        return (scene, try scene.driver())
    }

    private func chosen(_ selection: UnderlaySelection) async throws -> String {
        let (scene, driver) = try await scene()
        try await scene.ip("ip route add default via 192.168.7.254 metric 100")
        try await scene.ip("ip route add default via 192.168.8.254 metric 50 src 192.168.8.2")
        let underlay = try await driver.underlay(selection)
        return "\(underlay.name) \(underlay.address) \(underlay.publicIP) mtu \(underlay.mtu)"
    }

    private func refusal(_ selection: UnderlaySelection) async throws -> DataplaneError? {
        let (_, driver) = try await scene()
        do {
            _ = try await driver.underlay(selection)
            return nil
        } catch {
            return error
        }
    }

    @Test func `without a rule it is the preferred default route's, with its source`() async throws {
        #expect(try await chosen(UnderlaySelection()) == "eth1 192.168.8.2 192.168.8.2 mtu 1400")
    }

    @Test func `a pinned interface keeps the address that it was chosen with, while it has it`() async throws {
        let (scene, driver) = try await scene()
        try await scene.ip("ip route add default via 192.168.8.254 src 192.168.8.2")
        let first = try await driver.underlay(UnderlaySelection())
        let pinned = UnderlaySelection().pinned(to: first)
        try await scene.ip("ip route replace default via 192.168.7.254")
        #expect(try await driver.underlay(pinned) == first)
        try await scene.ip("ip addr del 192.168.8.2/24 dev eth1")
        #expect(try await driver.underlay(pinned).address == IPv4Address(192, 168, 8, 1))
    }

    @Test func `the first name or address that exists is taken`() async throws {
        #expect(
            try await chosen(UnderlaySelection(interfaces: ["eth9", "eth0", "eth1"]))
                == "eth0 192.168.7.1 192.168.7.1 mtu 1500")
        #expect(
            try await chosen(UnderlaySelection(interfaces: ["192.168.8.2"])) == "eth1 192.168.8.2 192.168.8.2 mtu 1400")
        #expect(
            try await chosen(UnderlaySelection(interfaces: ["eth1"])) == "eth1 192.168.8.1 192.168.8.1 mtu 1400",
            "a link-local address is the last choice")
    }

    @Test func `patterns match names and addresses, and come after names`() async throws {
        #expect(
            try await chosen(UnderlaySelection(interfaces: ["eth9"], patterns: ["^eth[1-3]$"]))
                == "eth1 192.168.8.1 192.168.8.1 mtu 1400")
        #expect(
            try await chosen(UnderlaySelection(patterns: [#"192\.168\.8\.2"#]))
                == "eth1 192.168.8.2 192.168.8.2 mtu 1400")
    }

    @Test func `reachability asks the kernel for the way`() async throws {
        let address = IPAddress.v4(IPv4Address(192, 168, 7, 77))
        #expect(try await chosen(UnderlaySelection(canReach: address)) == "eth0 192.168.7.1 192.168.7.1 mtu 1500")
    }

    @Test func `a public address is announced, and packets leave from the interface's own`() async throws {
        let selection = UnderlaySelection(interfaces: ["eth0"], publicIP: IPv4Address(203, 0, 113, 7))
        #expect(try await chosen(selection) == "eth0 192.168.7.1 203.0.113.7 mtu 1500")
    }

    @Test func `IPv6 comes along where the interface has it`() async throws {
        let (_, driver) = try await scene()
        let expected = try IPv6Address(parsing: "fd00:8::1")
        #expect(try await driver.underlay(UnderlaySelection(interfaces: ["eth1"])).ipv6Address == expected)
        #expect(try await driver.underlay(UnderlaySelection(interfaces: ["eth0"])).ipv6Address == nil)
    }

    @Test func `another lifetime of the own address is no change, its going and coming back is each time`() async throws
    {
        let (scene, driver) = try await scene()
        try await scene.ip("ip -6 addr add fd00:9::1/64 dev eth1 nodad")
        _ = try await driver.underlay(UnderlaySelection(interfaces: ["fd00:8::1"]))
        let own = "fd00:8::1/64 dev eth1"
        // As a router advertisement does; the look that finds it gone is not waited for.
        for (command, isChange) in [
            ("change \(own) valid_lft 900 preferred_lft 900", false), ("del \(own)", true), ("add \(own) nodad", true),
            ("change \(own) valid_lft 800 preferred_lft 800", false), ("add fd00:8::7/64 dev eth1 nodad", false),
            ("add fd00:a::1/64 dev eth1 nodad", true), ("del fd00:9::1/64 dev eth1", true),
        ] {
            _ = await driver.takeChanges()
            try await scene.ip("ip -6 addr \(command)")
            var changes = await driver.takeChanges()
            let limit = ContinuousClock.now + .seconds(20)
            while !changes.areAddressesChanged, ContinuousClock.now < limit {
                try await Task.sleep(for: .milliseconds(2))
                changes = await driver.takeChanges()
            }
            #expect(changes.areAddressesChanged && changes.isUnderlayChanged == isChange, "\(command)")
        }
    }

    @Test(arguments: [
        (
            UnderlaySelection(interfaces: ["eth9", "10.9.9.9"]),
            "--iface: there is no interface with the name or address 'eth9' or '10.9.9.9'; this host has lo, eth0, eth1, bare0"
        ),
        (
            UnderlaySelection(interfaces: ["bare0"]),
            "--iface is interface 'bare0', which has neither an IPv4 nor a global IPv6 address; give it one or name another with --iface"
        ),
        (UnderlaySelection(patterns: ["("]), "--iface-regex: '(' is not a regular expression"),
        (
            UnderlaySelection(patterns: ["wlan"]),
            "--iface-regex: no interface's name or address matches 'wlan'; this host has lo, eth0, eth1, bare0"
        ),
        (
            UnderlaySelection(canReach: .v4(IPv4Address(8, 8, 8, 8))),
            "--iface-can-reach: 8.8.8.8 can't be reached: route to 8.8.8.8: ENETUNREACH"
        ),
        (
            UnderlaySelection(canReach: .v4(IPv4Address(192, 168, 7, 1))),
            "--iface-can-reach: 192.168.7.1 is this host's own; name an address beyond it"
        ),
        (
            UnderlaySelection(),
            "no default route says which interface leads to the other nodes; name it with --iface"
        ),
    ])
    func `a choice that can't be made is told with option and value`(selection: UnderlaySelection, sentence: String)
        async throws
    {
        let error = try #require(try await refusal(selection))
        #expect(error.description == sentence)
        #expect(error.remedy == .misconfigured)
    }
}
