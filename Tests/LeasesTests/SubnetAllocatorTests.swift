// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import Testing

@Suite struct SubnetAllocatorTests {
    private typealias Allocator = SubnetAllocator<IPv4Address>

    private func range(_ first: String, _ last: String) throws -> Allocator.Range {
        try #require(
            Allocator.Range(first: try IPv4Prefix(parsing: first), last: try IPv4Prefix(parsing: last)))
    }

    @Test func `every subnet of a range is given out once, then none`() throws {
        let range = try range("10.244.1.0/24", "10.244.255.0/24")
        var taken: Set<IPv4Prefix> = []
        for number in 0..<255 {
            let subnet = try #require(Allocator(range: range, taken: taken).choose(for: NodeID("node-\(number)")))
            #expect(taken.insert(subnet).inserted)
            #expect((range.first...range.last).contains(subnet) && subnet.length == 24)
        }
        #expect(Allocator(range: range, taken: taken).choose(for: NodeID("one more")) == nil)
    }

    @Test func `the last free one is found wherever it is`() throws {
        let range = try range("10.244.0.0/24", "10.244.255.0/24")
        let all = (0..<256).map { IPv4Prefix(IPv4Address(10, 244, UInt8($0), 0), length: 24)! }
        for free in all {
            let allocator = Allocator(range: range, taken: all.filter { $0 != free })
            #expect(allocator.choose(for: NodeID("n")) == free)
            #expect(allocator.isFree(free))
        }
    }

    @Test func `never overlaps what is taken, of whatever length`() throws {
        var random = SplitMix64(seed: 7)
        let range = try range("10.0.0.0/22", "10.3.252.0/22")
        for _ in 0..<500 {
            let taken = (0..<Int.random(in: 0..<40, using: &random)).compactMap { _ in
                IPv4Prefix(
                    IPv4Address(bits: 0x0A00_0000 | UInt32.random(in: 0..<0x4_0000, using: &random)),
                    length: Int.random(in: 14...30, using: &random))
            }
            let allocator = Allocator(range: range, taken: taken)
            if let subnet = allocator.choose(for: NodeID("\(random.next())")) {
                #expect(!taken.contains { $0.overlaps(subnet) })
                #expect(allocator.isFree(subnet))
            } else {
                var place = range.first.address.bits
                while place <= range.last.address.bits {
                    let subnet = try #require(IPv4Prefix(IPv4Address(bits: place), length: 22))
                    #expect(taken.contains { $0.overlaps(subnet) })
                    place += 1024
                }
            }
        }
    }

    @Test func `the same node chooses the same subnet and others mostly others`() throws {
        let range = try range("10.1.0.0/24", "10.1.255.0/24")
        let allocator = Allocator(range: range, taken: [])
        let choices = (0..<50).compactMap { allocator.choose(for: NodeID("node-\($0)")) }
        #expect(choices == (0..<50).compactMap { allocator.choose(for: NodeID("node-\($0)")) })
        // 50 balls in 256 bins meet about 4.6 times.
        #expect(Set(choices).count >= 40)
    }

    @Test func `a whole IPv6 network can be a range`() throws {
        let range = try #require(
            SubnetAllocator<IPv6Address>.Range(
                first: try IPv6Prefix(parsing: "::/126"),
                last: try IPv6Prefix(parsing: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126")))
        let allocator = SubnetAllocator(range: range, taken: [])
        #expect(allocator.choose(for: NodeID("n")) != nil)
    }
}
