// SPDX-License-Identifier: Apache-2.0

package import Dataplane
package import IPAddressing
import Testing

/// What every ``DataplaneDriver`` promises: run on the fake and on the real thing, each case on a kernel of its own
/// in which only the underlay is there.
package struct DataplaneDriverConformance<Driver: DataplaneDriver> {
    private let driver: Driver
    /// A device over the driver's underlay.
    private let device: VXLANDevice<IPv4Address>

    package init(driver: Driver, device: VXLANDevice<IPv4Address>) {
        self.driver = driver
        self.device = device
    }

    package func check(_ rule: DataplaneDriverRule) async throws {
        switch rule {
        case .nothingIsSeenAtFirst: try await nothingIsSeenAtFirst()
        case .whatWasAppliedIsSeen: try await whatWasAppliedIsSeen()
        case .doingItTwiceIsDoingItOnce: try await doingItTwiceIsDoingItOnce()
        case .removingWhatIsNotThereSucceeds: try await removingWhatIsNotThereSucceeds()
        case .aBadOperationFailsAlone: try await aBadOperationFailsAlone()
        case .entriesAreReplaced: try await entriesAreReplaced()
        case .anotherOfOursAsksForALook: try await anotherOfOursAsksForALook()
        case .aDeviceKeepsItsMAC: try await aDeviceKeepsItsMAC()
        case .withoutDeviceNothingFits: try await withoutDeviceNothingFits()
        case .everythingCanBeWithdrawn: try await everythingCanBeWithdrawn()
        }
    }

    private func nothingIsSeenAtFirst() async throws {
        #expect(try await driver.existingMAC(ofDevice: device.name) == nil)
        #expect(try await driver.seen() == DataplaneState())
        try await driver.prepare(device)
        #expect(try await driver.seen() == DataplaneState())
    }

    private func whatWasAppliedIsSeen() async throws {
        try await driver.prepare(device)
        let wanted = try await want(1...20)
        #expect(try await driver.seen() == wanted.state)
    }

    private func doingItTwiceIsDoingItOnce() async throws {
        try await driver.prepare(device)
        let wanted = try await want(1...5)
        try await driver.prepare(device)
        #expect(await driver.apply(wanted.additions) == [])
        #expect(try await driver.seen() == wanted.state)
    }

    private func removingWhatIsNotThereSucceeds() async throws {
        try await driver.prepare(device)
        let removals = Self.removals(of: try await peers(1...3))
        #expect(await driver.apply(removals) == [])
        #expect(try await driver.seen() == DataplaneState())
    }

    private func aBadOperationFailsAlone() async throws {
        try await driver.prepare(device)
        var wanted = Wanted(try await peers(1...9))
        guard let absent = IPv4Prefix(IPv4Address(10, 99, 0, 0), length: 24) else { return }
        let bad: Operation<IPv4Address> =
            try await driver.supportsNextHops()
            ? .setRoute(Route(destination: absent, path: .nextHop(NextHopID(12_345))), replacing: false)
            : .setRoute(
                Route(destination: absent, path: .gateway(IPv4Address(10, 99, 0, 0), .other)), replacing: false)
        let place = wanted.additions.count / 2
        wanted.additions.insert(bad, at: place)
        let failures = await driver.apply(wanted.additions)
        #expect(failures.map(\.index) == [place])
        #expect(failures.first?.error.description.contains("10.99.0.0/24") == true)
        #expect(try await driver.seen() == wanted.state)
    }

    private func entriesAreReplaced() async throws {
        try await driver.prepare(device)
        var wanted = try await want(1...3)
        let moved = Peer(number: 2, host: 200, usesNextHops: try await driver.supportsNextHops())
        let operations: [Operation<IPv4Address>] = [
            .setNeighbor(moved.neighbor), .setFDBEntry(moved.fdb),
        ]
        #expect(await driver.apply(operations) == [])
        wanted.state.neighbors[moved.neighbor.address] = moved.neighbor.mac
        wanted.state.fdb[moved.fdb.mac] = moved.fdb.destination
        #expect(try await driver.seen() == wanted.state)
        guard try await driver.supportsNextHops() else { return }
        // A route that goes another peer's way.
        guard let first = wanted.state.routes.keys.min(), let last = wanted.state.nextHops.keys.max() else { return }
        let route = Route(destination: first, path: Route<IPv4Address>.Path.nextHop(last))
        #expect(await driver.apply([.setRoute(route, replacing: true)]) == [])
        wanted.state.routes[first] = route.path
        #expect(try await driver.seen() == wanted.state)
    }

    private func anotherOfOursAsksForALook() async throws {
        try await driver.prepare(device)
        let wanted = try await want(1...2)
        guard let destination = wanted.state.routes.keys.min(),
            let other = wanted.state.routes.max(by: { $0.key < $1.key })?.value
        else { return }
        let failures = await driver.apply([
            .setRoute(Route(destination: destination, path: other), replacing: false)
        ])
        #expect(failures.map(\.error.remedy) == [.resync])
        #expect(try await driver.seen() == wanted.state)
    }

    private func aDeviceKeepsItsMAC() async throws {
        try await driver.prepare(device)
        #expect(try await driver.existingMAC(ofDevice: device.name) == device.mac)
        var moved = device
        moved.address = IPv4Prefix(host: IPv4Address(10, 244, 77, 0))
        moved.mtu -= 100
        let wanted = try await want(1...2)
        try await driver.prepare(moved)
        #expect(try await driver.existingMAC(ofDevice: device.name) == device.mac)
        #expect(try await driver.seen() == wanted.state, "what can be mended keeps its entries")
        moved.vni += 1
        try await driver.prepare(moved)
        #expect(try await driver.existingMAC(ofDevice: device.name) == device.mac)
        #expect(try await driver.seen().neighbors.isEmpty)
    }

    private func withoutDeviceNothingFits() async throws {
        let peer = try await peers(1...1)
        let failures = await driver.apply(Wanted(peer).additions.filter(\.isOverDevice))
        #expect(!failures.isEmpty)
        #expect(failures.allSatisfy { $0.error.remedy == .resync })
    }

    private func everythingCanBeWithdrawn() async throws {
        try await driver.prepare(device)
        _ = try await want(1...10)
        #expect(await driver.apply(Self.removals(of: try await peers(1...10))) == [])
        #expect(try await driver.seen() == DataplaneState())
    }

    /// Puts those peers in.
    private func want(_ numbers: ClosedRange<UInt32>) async throws -> Wanted {
        let wanted = Wanted(try await peers(numbers))
        #expect(await driver.apply(wanted.additions) == [])
        return wanted
    }

    private func peers(_ numbers: ClosedRange<UInt32>) async throws -> [Peer] {
        let usesNextHops = try await driver.supportsNextHops()
        return numbers.map { Peer(number: $0, host: $0, usesNextHops: usesNextHops) }
    }

    private static func removals(of peers: [Peer]) -> [Operation<IPv4Address>] {
        peers.map { .removeRoute($0.route) } + peers.compactMap { $0.nextHop.map { .removeNextHop($0.id) } }
            + peers.map { .removeNeighbor($0.neighbor.address) } + peers.map { .removeFDBEntry($0.fdb) }
    }
}

/// The promises, each a case to be checked.
package enum DataplaneDriverRule: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case nothingIsSeenAtFirst = "nothing is seen at first"
    case whatWasAppliedIsSeen = "what was applied is seen"
    case doingItTwiceIsDoingItOnce = "doing it twice is doing it once"
    case removingWhatIsNotThereSucceeds = "removing what is not there succeeds"
    case aBadOperationFailsAlone = "a bad operation fails alone"
    case entriesAreReplaced = "entries are replaced"
    case anotherOfOursAsksForALook = "another of ours in the way asks for a look"
    case aDeviceKeepsItsMAC = "a device keeps its MAC address"
    case withoutDeviceNothingFits = "without a device nothing fits"
    case everythingCanBeWithdrawn = "everything can be withdrawn"

    package var testDescription: String { rawValue }
}

/// The entries of one peer, the subnet by its number, the VTEP by its host's.
private struct Peer {
    let neighbor: Neighbor<IPv4Address>
    let fdb: FDBEntry<IPv4Address>
    let nextHop: NextHop<IPv4Address>?
    let route: Route<IPv4Address>

    init(number: UInt32, host: UInt32, usesNextHops: Bool) {
        let gateway = IPv4Address(bits: 0x0AC8_0000 + number << 8)
        let id = NextHopID(gateway.bits)
        neighbor = Neighbor(address: gateway, mac: MACAddress(bits: 0x0200_0000_0000 + UInt64(host)))
        fdb = FDBEntry(
            mac: MACAddress(bits: 0x0200_0000_0000 + UInt64(number)), destination: IPv4Address(bits: 0xC0A8_0700 + host)
        )
        nextHop = usesNextHops ? NextHop(id: id, gateway: gateway, device: .vxlan) : nil
        let subnet = IPv4Prefix(gateway, length: 24) ?? IPv4Prefix(host: gateway)
        route = Route(destination: subnet, path: usesNextHops ? .nextHop(id) : .gateway(gateway, .vxlan))
    }
}

private struct Wanted {
    var state = DataplaneState<IPv4Address>()
    var additions: [Operation<IPv4Address>]

    init(_ peers: [Peer]) {
        additions = peers.map { .setNeighbor($0.neighbor) } + peers.map { .setFDBEntry($0.fdb) }
        additions += peers.compactMap { $0.nextHop.map { .setNextHop($0, replacing: false) } }
        additions += peers.map { .setRoute($0.route, replacing: false) }
        for peer in peers {
            state.neighbors[peer.neighbor.address] = peer.neighbor.mac
            state.fdb[peer.fdb.mac] = peer.fdb.destination
            if let nextHop = peer.nextHop { state.nextHops[nextHop.id] = nextHop }
            state.routes[peer.route.destination] = peer.route.path
        }
    }
}

extension Operation {
    fileprivate var isOverDevice: Bool {
        switch self {
        case .setNeighbor, .setFDBEntry, .setNextHop: true
        default: false
        }
    }
}
