// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing

/// The operations for peers by number: subnet 10.200.0.0 + number, VTEP 02:00:00:00:00:00 + number, host 192.168.7.0
/// + number.
enum PeerPlan {
    static func additions(_ numbers: ClosedRange<UInt32>, usesNextHops: Bool = true) -> [Operation<IPv4Address>] {
        var operations: [Operation<IPv4Address>] = []
        operations += numbers.map { .setNeighbor(Neighbor(address: gateway($0), mac: mac($0))) }
        operations += numbers.map { .setFDBEntry(FDBEntry(mac: mac($0), destination: host($0))) }
        if usesNextHops {
            operations += numbers.map {
                .setNextHop(NextHop(id: id($0), gateway: gateway($0), device: .vxlan), replacing: false)
            }
        }
        operations += numbers.map { .setRoute(route($0, usesNextHops), replacing: false) }
        return operations
    }

    static func removals(_ numbers: ClosedRange<UInt32>) -> [Operation<IPv4Address>] {
        numbers.map { .removeRoute(route($0, true)) } + numbers.map { .removeNextHop(id($0)) }
            + numbers.map { .removeNeighbor(gateway($0)) }
            + numbers.map { .removeFDBEntry(FDBEntry(mac: mac($0), destination: host($0))) }
    }

    static func gateway(_ number: UInt32) -> IPv4Address { IPv4Address(bits: 0x0AC8_0000 + number << 8) }
    private static func mac(_ number: UInt32) -> MACAddress { MACAddress(bits: 0x0200_0000_0000 + UInt64(number)) }
    private static func host(_ number: UInt32) -> IPv4Address { IPv4Address(bits: 0xC0A8_0700 + number) }
    private static func id(_ number: UInt32) -> NextHopID { NextHopID(gateway(number).bits) }

    private static func route(_ number: UInt32, _ usesNextHops: Bool) -> Route<IPv4Address> {
        let subnet = IPv4Prefix(gateway(number), length: 24) ?? IPv4Prefix(host: gateway(number))
        return Route(destination: subnet, path: usesNextHops ? .nextHop(id(number)) : .gateway(gateway(number), .vxlan))
    }
}
