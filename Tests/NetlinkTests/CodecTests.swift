// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Testing

@testable import Netlink

@Suite struct CodecTests {
    private let gateway = IPAddress.v4(IPv4Address(10, 244, 20, 0))
    private let mac = MACAddress(bits: 0x0200_0000_0002)
    private let ours = RouteMessage.Origin(rawValue: 116)

    private func expectSame<Object: NetlinkObject>(_ object: Object, _ captured: String, location: SourceLocation) {
        let bytes = Hex.bytes(captured)
        let flags = UInt16(bytes[6]) | UInt16(bytes[7]) << 8
        let sequence = bytes[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let ours = written(object, .new, flags: flags, sequence: sequence)
        #expect(Hex.text(ours) == Hex.text(bytes), sourceLocation: location)
    }

    @Test func `a vxlan device is asked for as ip does`() {
        let settings = VXLANSettings(
            vni: 1, port: 8472, local: .v4(IPv4Address(192, 168, 0, 1)), underlay: 2, gbp: true)
        var bytes = Hex.bytes(Captured.addVXLAN)
        // Where iproute2 leaves the NUL of the kind out, there is padding to hold it: only the length tells.
        bytes[52] = 0x0a
        let ours = written(
            LinkMessage(name: "tartan.1", kind: .vxlan(settings)), .new, flags: 0x605, sequence: 0x6b05_5158)
        #expect(Hex.text(ours) == Hex.text(bytes))
    }

    @Test func `a veth pair holds the other end as a message in a message`() throws {
        let ours = written(LinkMessage(name: "v0", kind: .veth(VETHPeer(name: "v1"))), .new, flags: 0x605, sequence: 1)
        let theirs = Hex.bytes(Captured.addVETH)
        // The same but for the four bytes of a NUL behind "veth".
        #expect(ours.count == theirs.count + 4)
        #expect(Hex.text(ours).hasSuffix(Hex.text(Array(theirs.suffix(32)))))
        var expected = LinkMessage(name: "v0", isUp: false, kind: .veth(nil))
        expected.isPromiscuous = false
        #expect(read(LinkMessage.self, from: ours) == expected)
    }

    @Test func `the entries of a peer are byte for byte what ip and bridge send`() {
        expectSame(
            NeighborMessage(address: gateway, mac: mac, device: 3), Captured.setNeighbor, location: #_sourceLocation)
        expectSame(
            NextHopMessage(id: 183_768_064, gateway: gateway, device: 3, origin: ours, isOnLink: true),
            Captured.addNextHop, location: #_sourceLocation)
        expectSame(
            RouteMessage(destination: gateway, prefixLength: 24, nextHop: 183_768_064, origin: ours),
            Captured.addRoute, location: #_sourceLocation)
        expectSame(
            AddressMessage(index: 3, address: .v4(IPv4Address(10, 244, 1, 0)), prefixLength: 32), Captured.addAddress,
            location: #_sourceLocation)
        expectSame(
            NeighborMessage(fdb: mac, destination: .v4(IPv4Address(192, 168, 0, 2)), device: 3), Captured.setFDBEntry,
            location: #_sourceLocation)
    }

    @Test func `what the kernel lists is read`() throws {
        let route = try #require(read(RouteMessage.self, from: Hex.bytes(Captured.route)))
        #expect(route.description == "route 10.244.20.0/24 nhid 183768064 via 10.244.20.0 dev 3 onlink")
        #expect(route.origin == ours && route.table == RouteMessage.mainTable && route.kind == .unicast)
        let nextHop = try #require(read(NextHopMessage.self, from: Hex.bytes(Captured.nextHop)))
        #expect(nextHop.description == "nexthop id 183768064 via 10.244.20.0 dev 3 onlink" && nextHop.origin == ours)
        let entry = try #require(read(NeighborMessage.self, from: Hex.bytes(Captured.fdbEntry)))
        #expect(entry == NeighborMessage(fdb: mac, destination: .v4(IPv4Address(192, 168, 0, 2)), device: 3))
    }

    @Test func `a dump's end is a message of its own`() {
        let bytes = Hex.bytes(Captured.nextHop)
        var reader = MessageReader(bytes.span.bytes)
        var types: [MessageType] = []
        while let message = reader.next() { types.append(message.type) }
        let isMalformed = reader.isMalformed
        #expect(types == [.nextHop(.new), .done] && !isMalformed)
    }

    @Test func `a refusal is read whether or not it repeats the request`() throws {
        var bytes = Hex.bytes(Captured.refusal)
        let whole = try #require(answer(in: bytes))
        #expect(whole.number == .networkUnreachable && whole.text == "Nexthop has invalid gateway")

        bytes.removeSubrange(36..<64)  // what is behind the header of the request
        bytes[0] = UInt8(bytes.count)
        bytes[7] |= 0x01  // NLM_F_CAPPED
        #expect(answer(in: bytes) == whole)
    }

    private func answer(in bytes: [UInt8]) -> Answer? {
        var reader = MessageReader(bytes.span.bytes)
        guard let message = reader.next() else { return nil }
        return Answer(message)
    }

    @Test func `an IPv6 address and a long name survive the way there and back`() throws {
        let address = IPAddress.v6(try IPv6Address(parsing: "fd00:10:244::7"))
        let message = AddressMessage(index: 9, address: address, prefixLength: 64, scope: .link)
        #expect(read(AddressMessage.self, from: written(message, .new, flags: 1, sequence: 1)) == message)
        let name = String(repeating: "n", count: 70_000)
        let link = try #require(
            read(LinkMessage.self, from: written(LinkMessage(name: name), .new, flags: 1, sequence: 1)))
        #expect(link.name == String(repeating: "n", count: 4096))
    }

    @Test func `a table beyond one byte is said in an attribute`() throws {
        var route = RouteMessage(destination: gateway, prefixLength: 24, gateway: gateway, device: 3, table: 10_001)
        route.priority = 7
        route.preferredSource = gateway
        #expect(read(RouteMessage.self, from: written(route, .new, flags: 1, sequence: 1)) == route)
    }
}
