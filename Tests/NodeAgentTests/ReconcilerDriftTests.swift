// SPDX-License-Identifier: Apache-2.0

import AgentTestKit
import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

@testable import NodeAgent

@Suite struct ReconcilerDriftTests {
    private typealias Scene = ReconcilerScene<FakeKernel>

    /// A reconciler that has put in five peers, at rest.
    private func settled(
        resync: Duration = .seconds(3600), _ body: (Scene, FakeKernel, DataplaneState<IPv4Address>) async throws -> Void
    ) async throws {
        let kernel = FakeKernel()
        let scene = Scene(driver: kernel, underlay: FakeKernel.eth0, resync: resync)
        try await scene.run {
            try scene.start(try (1...5).map { try LeaseFixtures.lease("10.244.\($0).0/24", node: $0 + 1) })
            try await scene.eventually("twenty entries") { scene.status.read { $0.dataplane.present } == 20 }
            // A first pass may have run before the own subnet was known, and the next one changes the device for it:
            // only what is published has taken in all that was started with.
            try await scene.eventually("the own subnet") { !scene.published.isEmpty }
            let state = kernel.read { $0.state }
            kernel.change {
                $0.operations = []
                $0.seenCount = 0
                $0.prepareCount = 0
            }
            try await body(scene, kernel, state)
        }
    }

    @Test func `one entry that somebody removed costs one operation, and no look at the others`() async throws {
        try await settled { scene, kernel, state in
            let gateway = IPv4Address(10, 244, 2, 0)
            kernel.disturb { $0.state.neighbors[gateway] = nil }
            try await scene.eventually("the repair") { kernel.read { $0.state } == state }
            try await scene.eventually("its count") { scene.status.read { $0.dataplane.repairs.neighbors } == 1 }
            #expect(kernel.read { $0.operations.count } == 1)
            #expect(kernel.read { ($0.seenCount, $0.prepareCount) } == (0, 0))
            #expect(scene.log.count("entry repaired") == 1)
        }
    }

    @Test func `each kind of entry is put back and counted by its kind`() async throws {
        try await settled { scene, kernel, state in
            kernel.disturb {
                $0.state.fdb[LeaseFixtures.mac(3)] = IPv4Address(1, 2, 3, 4)
                $0.state.nextHops[NextHopID(IPv4Address(10, 244, 4, 0).bits)] = nil
                $0.state.neighbors[IPv4Address(10, 99, 0, 0)] = LeaseFixtures.mac(9)
            }
            try await scene.eventually("the repair") { kernel.read { $0.state } == state }
            try await scene.eventually("the counts") { scene.status.read { $0.dataplane.repairs.total } == 4 }
            let repairs = scene.status.read { $0.dataplane.repairs }
            #expect((repairs.fdb, repairs.nextHops, repairs.routes, repairs.neighbors) == (1, 1, 1, 1))
        }
    }

    @Test func `a device that somebody deleted comes back with all that was on it`() async throws {
        try await settled { scene, kernel, state in
            let device = kernel.read { $0.device }
            kernel.disturb { $0.device = nil }
            try await scene.eventually("the repair") { kernel.read { $0.state == state && $0.device == device } }
            try await scene.eventually("its count") { scene.status.read { $0.dataplane.repairs.device } == 1 }
            #expect(scene.status.read { $0.dataplane.repairs.total } == 1, "what went with it is not counted")
            #expect(scene.log.count("device repaired") == 1)
        }
    }

    @Test func `lost notifications cause a look at everything`() async throws {
        try await settled { scene, kernel, state in
            kernel.disturbUnheard { $0.state.routes = [:] }
            try await scene.eventually("the repair") { kernel.read { $0.state } == state }
            try await scene.eventually("its count") { scene.status.read { $0.dataplane.repairs.routes } == 5 }
        }
    }

    @Test func `the timer's audit finds what no notification told`() async throws {
        try await settled(resync: .milliseconds(100)) { scene, kernel, state in
            let before = scene.status.read { $0.dataplane.lastAudit }
            kernel.change { $0.state.fdb = [:] }
            try await scene.eventually("the repair") { kernel.read { $0.state } == state }
            try await scene.eventually("its count") { scene.status.read { $0.dataplane.repairs.fdb } == 5 }
            #expect(scene.status.read { $0.dataplane.lastAudit } != before)
        }
    }

    @Test func `a fight is noticed, told once and slowed, and the others don't wait for it`() async throws {
        try await settled { scene, kernel, state in
            let subnet = try IPv4Prefix(parsing: "10.244.2.0/24")
            func breakIt() {
                if kernel.read({ $0.state.routes[subnet] != nil }) { kernel.disturb { $0.state.routes[subnet] = nil } }
            }
            try await scene.eventually("the fight is noticed") {
                breakIt()
                return scene.log.count("somebody keeps changing an entry") == 1
            }
            #expect(kernel.read { $0.operations.count } == 3, "as many repairs at once")
            try await scene.eventually("the fight is told") {
                breakIt()
                return scene.status.read { $0.dataplane.fights } == ["route 10.244.2.0/24"]
            }
            let limit = ContinuousClock.now + .milliseconds(400)
            while ContinuousClock.now < limit {
                breakIt()
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(kernel.read { $0.operations.count } <= 4)
            #expect(scene.log.count("somebody keeps changing an entry") == 1)
            let gateway = IPv4Address(10, 244, 3, 0)
            kernel.disturb { $0.state.neighbors[gateway] = nil }
            try await scene.eventually("the other's repair") {
                kernel.read { $0.state.neighbors[gateway] } == state.neighbors[gateway]
            }
            try await scene.eventually("peace") { kernel.read { $0.state } == state }
        }
    }

    @Test func `an underlay that came back with another index gets the device anew`() async throws {
        try await settled { scene, kernel, state in
            let gone = DataplaneError(remedy: .misconfigured, description: "there is no interface 'eth0'")
            kernel.disturb {
                $0.underlayError = gone
                $0.device = nil
            }
            try await scene.eventually("the complaint") {
                scene.status.read { $0.dataplane.problem } == gone.description
            }
            kernel.disturb {
                $0.underlayError = nil
                $0.underlay.index = 77
                $0.underlay.mtu = 1400
            }
            try await scene.eventually("the repair") {
                kernel.read { $0.state == state && $0.device?.underlayIndex == 77 && $0.device?.mtu == 1350 }
            }
            try await scene.eventually("the new MTU for the pods") { scene.published.last?.mtu == 1350 }
            #expect(scene.status.read { $0.dataplane.problem } == nil)
        }
    }

    @Test func `while a fight for the device is on, nothing is applied without it, and that is a problem`() async throws
    {
        try await settled { scene, kernel, state in
            try await scene.eventually("the fight is noticed") {
                if kernel.read({ $0.device != nil }) { kernel.disturb { $0.device = nil } }
                return scene.log.count("somebody keeps changing the device;") == 1
            }
            kernel.change { $0.refusedCount = 0 }
            // Half a second's hold, in which leases change.
            scene.change([.lease(try LeaseFixtures.lease("10.244.9.0/24", node: 10))])
            try await scene.eventually("the problem") {
                scene.status.read { $0.dataplane.problem }?.contains("keeps changing the device") == true
            }
            try await scene.eventually("the repair") { kernel.read { $0.device != nil && $0.state.count == 24 } }
            #expect(kernel.read { $0.refusedCount } == 0, "nothing was tried without the device")
            try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
        }
    }

    @Test func `a device that goes with its underlay is no fight, however often`() async throws {
        try await settled { scene, kernel, state in
            for round in 1...8 {
                kernel.disturb {
                    $0.underlay.index += 1
                    $0.device = nil
                }
                try await scene.eventually("repair \(round)") {
                    kernel.read { $0.device?.underlayIndex == $0.underlay.index && $0.state == state }
                }
            }
            #expect(scene.log.count("somebody keeps changing the device") == 0)
        }
    }

    @Test func `with another VNI the device of the former one goes, and is no repair`() async throws {
        try await settled { scene, kernel, _ in
            scene.inbox.setConfig(.valid(try LeaseFixtures.config(vni: 7)))
            try await scene.eventually("the new device") { scene.status.read { $0.dataplane.device } == "tartan.7" }
            // At the start one of IPv6 is looked for, which an earlier run may have left.
            #expect(kernel.read { $0.removedDevices } == ["tartan-v6.1", "tartan.1"])
            #expect(kernel.read { $0.device?.vni } == 7)
            #expect(scene.status.read { $0.dataplane.repairs.total } == 0)
        }
    }

    @Test func `with a backend that needs no device there is none, and the underlay's MTU is the pods'`() async throws {
        try await settled { scene, kernel, _ in
            scene.inbox.setConfig(.valid(try LeaseFixtures.config(backend: "host-gw")))
            try await scene.eventually("no device") { kernel.read { $0.device == nil } }
            try await scene.eventually("its account") {
                scene.status.read { ($0.dataplane.device, $0.dataplane.mtu) == (nil, 1500) }
            }
            try await scene.eventually("the pods' MTU") { scene.published.last?.mtu == 1500 }
            #expect(kernel.read { $0.state.count } == 0, "the leases are of the other backend")
        }
    }

    @Test func `an underlay that was chosen without a rule is found again by its name and address`() async throws {
        try await settled(resync: .milliseconds(50)) { scene, kernel, _ in
            try await scene.eventually("an audit") { kernel.read { $0.selection } != nil }
            var expected = UnderlaySelection(interfaces: ["eth0"])
            expected.preferredAddress = FakeKernel.eth0.address
            #expect(kernel.read { $0.selection } == expected)
        }
    }

    @Test func `while the rule finds no underlay, peers come and go over the last one`() async throws {
        try await settled { scene, kernel, _ in
            kernel.disturb { $0.underlayError = DataplaneError(remedy: .misconfigured, description: "no route") }
            try await scene.eventually("the complaint") { scene.status.read { $0.dataplane.problem } == "no route" }
            scene.change([.lease(try LeaseFixtures.lease("10.244.9.0/24", node: 10))])
            try await scene.eventually("the peer") { scene.status.read { $0.dataplane.present } == 24 }
            #expect(scene.status.read { $0.dataplane.problem } == "no route")
            kernel.disturb { $0.underlayError = nil }
            try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
        }
    }

    /// The own lease, as peers are told it.
    private func own(_ address: IPv4Address) throws -> Lease {
        var announcement = LeaseFixtures.announcement(node: 0)
        announcement.publicIP = address
        return Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.250.0/24")), announcement: announcement,
            kind: .lease(GrantID(1)), createRevision: Revision(9), modRevision: Revision(9))
    }

    @Test func `another address of the underlay is the device's, told to the holder, and a problem until announced`()
        async throws
    {
        try await settled { scene, kernel, state in
            let (old, new) = (FakeKernel.eth0.address, IPv4Address(1, 2, 3, 4))
            scene.change([.lease(try own(old))])
            kernel.disturb { $0.underlay = Underlay(name: "eth0", index: 2, mtu: 1500, address: new) }
            try await scene.eventually("the complaint") {
                scene.status.read { $0.dataplane.problem }
                    == "the lease announces 192.168.0.1, but the address of 'eth0' is 1.2.3.4 now"
            }
            #expect(kernel.read { $0.device?.local } == new)
            #expect(scene.moveCount == 1)
            #expect(scene.status.read { $0.underlay?.address } == new)
            guard case .addressChanged(new, nil)? = await scene.holder.inputs.first(where: { _ in true }) else {
                Issue.record("the holder was told something else")
                return
            }
            scene.change([.lease(try own(new))])
            try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
            #expect(kernel.read { $0.state } == state)
            // It stays with this one.
            kernel.disturb { $0.underlay.mtu = 1400 }
            try await scene.eventually("the MTU") { kernel.read { $0.device?.mtu } == 1350 }
            #expect(kernel.read { $0.selection?.preferredAddress } == new)
            #expect(scene.moveCount == 1)
        }
    }

    @Test func `an address that goes while the other family's stays is kept for the lease, the device and the pods`()
        async throws
    {
        let whole = Self.dualUnderlay
        var (noIPv4, noIPv6) = (whole, whole)
        (noIPv4.address, noIPv4.publicIP, noIPv4.networks) = (.any, .any, [])
        (noIPv6.ipv6Address, noIPv6.publicIPv6, noIPv6.ipv6Networks) = (nil, nil, [])
        try await dual { scene, kernel in
            let file = scene.published
            for (family, flapping) in [("IPv4", noIPv4), ("IPv6", noIPv6)] {
                let devices = kernel.read { ($0.device, $0.ipv6Device) }
                kernel.disturb { $0.underlay = flapping }
                try await scene.eventually("the complaint of \(family)") {
                    scene.status.read { $0.dataplane.problem }?.hasPrefix("'eth0' has lost its \(family) address")
                        == true
                }
                #expect(scene.status.read { $0.underlay ?? whole } == whole)
                #expect(kernel.read { $0.device == devices.0 && $0.ipv6Device == devices.1 })
                // Asked for again although nobody says that it is back.
                kernel.change { $0.underlay = whole }
                try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
            }
            #expect(kernel.read { $0.removedDevices } == [] && scene.published == file && scene.moveCount == 0)
            let mark = LeaseFixtures.publicIP(99)
            scene.holder.post(.addressChanged(mark, nil))
            guard case .addressChanged(mark, nil)? = await scene.holder.inputs.first(where: { _ in true }) else {
                Issue.record("the holder was told of the flap")
                return
            }
        }
    }

    @Test func `an IPv6 address that is gone is given up with the network's IPv6`() async throws {
        try await dual { scene, kernel in
            kernel.disturb { ($0.underlay.ipv6Address, $0.underlay.publicIPv6) = (nil, nil) }
            try await scene.eventually("the complaint") { scene.status.read { $0.dataplane.problem } != nil }
            scene.inbox.setConfig(.valid(try LeaseFixtures.config()))
            try await scene.eventually("IPv4 alone") { scene.status.read { $0.underlay?.ipv6Address } == nil }
            try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
            #expect(kernel.read { $0.removedDevices } == ["tartan-v6.1"])
        }
    }

    @Test func `with a rule, too, both families' addresses are asked for as they are`() async throws {
        try await dual(selection: UnderlaySelection(interfaces: ["eth0"])) { scene, kernel in
            kernel.disturb { $0.underlay.mtu = 1400 }
            try await scene.eventually("the MTU") { kernel.read { $0.device?.mtu } == 1350 }
            #expect(kernel.read { $0.selection?.preferredAddress } == Self.dualUnderlay.address)
            #expect(kernel.read { $0.selection?.preferredIPv6Address } == Self.dualUnderlay.ipv6Address)
        }
    }

    @Test func `a public IPv6 address that was chosen is missed as one of IPv4 is`() async throws {
        let chosen = LeaseFixtures.publicIPv6(9)
        try await dual(selection: UnderlaySelection(publicIPv6: chosen)) { scene, kernel in
            #expect(scene.status.read { $0.dataplane.problem } == nil)
            kernel.disturb { $0.ipv6Addresses = [] }
            try await scene.eventually("the complaint") {
                scene.status.read { $0.dataplane.problem }
                    == "this host no longer has the public address fd20::9, which the lease announces as --public-ipv6 "
                    + "says; give it back, or restart tartand with another --public-ipv6"
            }
            #expect(scene.log.count("the public address is gone") == 1)
            kernel.disturb { $0.ipv6Addresses = [chosen] }
            try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
        }
    }

    @Test func `a lease that announces another IPv6 address than the underlay's is a problem`() async throws {
        try await dual { scene, _ in
            var own = try LeaseFixtures.dualLease("10.244.250.0/24", "fd00:10:244:fa::/64", node: 1).announcement
            own.publicIPv6 = LeaseFixtures.publicIPv6(33)
            let key = SubnetKey(
                try IPv4Prefix(parsing: "10.244.250.0/24"), ipv6Subnet: try IPv6Prefix(parsing: "fd00:10:244:fa::/64"))
            scene.change([
                .lease(
                    Lease(
                        key: key, announcement: own, kind: .lease(GrantID(1)), createRevision: Revision(9),
                        modRevision: Revision(9)))
            ])
            try await scene.eventually("the complaint") {
                scene.status.read { $0.dataplane.problem }
                    == "the lease announces fd20::21, but the address of 'eth0' is fd20::1 now"
            }
        }
    }

    private static let dualUnderlay = Underlay(
        name: "eth0", index: 2, mtu: 1500, address: FakeKernel.eth0.address, ipv6Address: LeaseFixtures.publicIPv6(1))

    /// One of both families with one peer, at rest.
    private func dual(
        selection: UnderlaySelection = UnderlaySelection(), _ body: (Scene, FakeKernel) async throws -> Void
    ) async throws {
        var underlay = Self.dualUnderlay
        if let address = selection.publicIPv6 { underlay.publicIPv6 = address }
        let kernel = FakeKernel(underlay: underlay)
        kernel.change { $0.ipv6Addresses = Set([selection.publicIPv6].compactMap(\.self)) }
        let scene = Scene(driver: kernel, underlay: underlay, selection: selection)
        try await scene.run {
            try scene.start(
                [try LeaseFixtures.dualLease("10.244.2.0/24", "fd00:10:244:2::/64", node: 2)],
                ipv6: "fd00:10:244:fa::/64", config: try LeaseFixtures.config(ipv6: "fd00:10:244::/48"))
            try await scene.eventually("the file") { scene.published.last?.ipv6Subnet != nil }
            try await scene.eventually("the peers") { scene.status.read { $0.dataplane.present } == 8 }
            try await body(scene, kernel)
        }
    }

    @Test func `a public address that was chosen is not followed, but missed where this host had it`() async throws {
        let kernel = FakeKernel()
        let chosen = IPv4Address(203, 0, 113, 7)
        var underlay = FakeKernel.eth0
        underlay.publicIP = chosen
        kernel.change {
            $0.underlay = underlay
            $0.addresses = [chosen, underlay.address]
        }
        let scene = Scene(driver: kernel, underlay: underlay, selection: UnderlaySelection(publicIP: chosen))
        try await scene.run {
            try scene.start([try own(chosen)])
            try await scene.eventually("peace") { scene.status.read { $0.dataplane.problem } == nil }
            kernel.disturb {
                $0.underlay.address = IPv4Address(1, 2, 3, 4)
                $0.addresses = [IPv4Address(1, 2, 3, 4)]
            }
            try await scene.eventually("the complaint") {
                scene.status.read { $0.dataplane.problem }?.contains("no longer has the public address 203.0.113.7")
                    == true
            }
            #expect(kernel.read { $0.device?.local } == IPv4Address(1, 2, 3, 4))
            kernel.disturb { $0.addresses.insert(chosen) }
            try await scene.eventually("peace again") { scene.status.read { $0.dataplane.problem } == nil }
        }
    }

    @Test func `a lease that changes while the device can't be set up is not forgotten`() async throws {
        try await settled { scene, kernel, state in
            kernel.disturb {
                $0.deviceError = DataplaneError(remedy: .retry, description: "device tartan.1: EBUSY")
                $0.device = nil
            }
            try await scene.eventually("the complaint") { scene.status.read { $0.dataplane.problem } != nil }
            scene.change([.lease(try LeaseFixtures.lease("10.244.9.0/24", node: 10))])
            scene.change([.gone(name: "10.244.1.0-24", at: Revision(300))])
            kernel.change { $0.deviceError = nil }
            try await scene.eventually("all of it") {
                kernel.read { $0.state.count } == 20 && scene.status.read { $0.dataplane.problem } == nil
            }
            let subnet = try IPv4Prefix(parsing: "10.244.9.0/24")
            #expect(kernel.read { $0.state.routes[subnet] != nil })
        }
    }
}
