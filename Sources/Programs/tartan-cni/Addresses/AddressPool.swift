// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// The addresses of one family that pods can have: those of a subnet but its first (the network), its second (the
/// gateway) and, for IPv4, its last (broadcast).
struct FamilyPool<Address: BinaryAddress>: Hashable {
    let subnet: Prefix<Address>
    let gateway: Address
    private let first: Address
    private let last: Address

    init(_ subnet: Prefix<Address>) {
        self.subnet = subnet
        gateway = Address(bits: subnet.address.bits | 1)
        first = Address(bits: subnet.address.bits | 2)
        last = Address.Bits.bitWidth == 32 ? Address(bits: subnet.last.bits & ~1) : subnet.last
    }

    func contains(_ address: Address) -> Bool { address >= first && address <= last }

    /// The first free address behind the last one given, round the end to the beginning: a freed address rests until
    /// all others had their turn. `nil` where none is free.
    func next(after previous: Address?, isTaken: (Address) -> Bool) -> Address? {
        var candidate = previous.map { following($0) } ?? first
        let start = candidate
        repeat {
            if !isTaken(candidate) { return candidate }
            candidate = following(candidate)
        } while candidate != start
        return nil
    }

    private func following(_ address: Address) -> Address {
        contains(address) && address != last ? Address(bits: address.bits + 1) : first
    }
}

/// A pool of either family.
enum AddressPool: Hashable {
    case v4(FamilyPool<IPv4Address>)
    case v6(FamilyPool<IPv6Address>)

    var gateway: IPAddress {
        switch self {
        case .v4(let pool): .v4(pool.gateway)
        case .v6(let pool): .v6(pool.gateway)
        }
    }

    var length: UInt8 {
        switch self {
        case .v4(let pool): pool.subnet.length
        case .v6(let pool): pool.subnet.length
        }
    }

    var isIPv6: Bool {
        switch self {
        case .v4: false
        case .v6: true
        }
    }

    var subnet: String {
        switch self {
        case .v4(let pool): pool.subnet.description
        case .v6(let pool): pool.subnet.description
        }
    }

    /// Whether a pod can have the address.
    func contains(_ address: IPAddress) -> Bool {
        switch (self, address) {
        case (.v4(let pool), .v4(let address)): pool.contains(address)
        case (.v6(let pool), .v6(let address)): pool.contains(address)
        default: false
        }
    }

    func next(after previous: IPAddress?, taken: Set<IPAddress>) -> IPAddress? {
        switch self {
        case .v4(let pool):
            var start: IPv4Address?
            if case .v4(let address)? = previous { start = address }
            return pool.next(after: start) { taken.contains(.v4($0)) }.map(IPAddress.v4)
        case .v6(let pool):
            var start: IPv6Address?
            if case .v6(let address)? = previous { start = address }
            return pool.next(after: start) { taken.contains(.v6($0)) }.map(IPAddress.v6)
        }
    }
}
