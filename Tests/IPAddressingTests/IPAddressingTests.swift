// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Testing

@Suite struct IPv4AddressTests {
    @Test(arguments: ["0.0.0.0", "10.244.20.7", "255.255.255.255", "1.2.3.4"])
    func `a dotted quad is read and printed as it was`(text: String) throws {
        #expect(try IPv4Address(parsing: text).description == text)
    }

    @Test(arguments: [
        "", ".", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", " 1.2.3.4", "1.2.3.4 ", "1.2.3.-4",
        "0x1.2.3.4", "1.2.3.1000000000000", "1.2.3.٤",
    ])
    func `anything else is refused by its name`(text: String) {
        #expect(throws: AddressParsingError(text, expected: .ipv4Address)) { try IPv4Address(parsing: text) }
    }
}

@Suite struct IPv6AddressTests {
    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("fd00:10:244:14::", "fd00:10:244:14::"),
        ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"), ("::ffff:1.2.3.4", "::ffff:102:304"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func `every form of RFC 4291 is read and the form of RFC 5952 printed`(text: String, canonical: String) throws {
        #expect(try IPv6Address(parsing: text).description == canonical)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1%eth0", "[::1]",
        "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "1.2.3.4::", "::1.2.3", "1:2:3:4:5:6:7:8::",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: AddressParsingError.self) { try IPv6Address(parsing: text) }
    }

    @Test func `printing then reading gives the same address`() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            // Groups of zeros are what the text form is about.
            var bits: UInt128 = 0
            for _ in 0..<8 {
                bits = bits << 16 | (Bool.random() ? 0 : UInt128(UInt16.random(in: 0...(.max), using: &random)))
            }
            let address = IPv6Address(bits: bits)
            #expect(try IPv6Address(parsing: address.description) == address)
        }
    }
}

@Suite struct PrefixTests {
    @Test func `a prefix is printed as it was read`() throws {
        for text in ["10.244.20.0/24", "0.0.0.0/0", "10.0.0.1/32"] {
            #expect(try IPv4Prefix(parsing: text).description == text)
        }
        #expect(try IPv6Prefix(parsing: "fd00:10:244:14::/64").description == "fd00:10:244:14::/64")
    }

    @Test(arguments: ["10.244.20.7/24", "10.244.0.0", "10.244.0.0/33", "10.244.0.0/-1", "10.244.0.0/024", "/24", "x/1"])
    func `host bits and bad lengths are refused`(text: String) {
        #expect(throws: AddressParsingError(text, expected: .ipv4Prefix)) { try IPv4Prefix(parsing: text) }
    }

    @Test func `two prefixes overlap exactly if one contains the other's first address`() throws {
        let big = try IPv4Prefix(parsing: "10.244.0.0/16")
        let small = try IPv4Prefix(parsing: "10.244.20.0/24")
        let other = try IPv4Prefix(parsing: "10.245.0.0/24")
        #expect(big.contains(small) && !small.contains(big))
        #expect(big.overlaps(small) && small.overlaps(big))
        #expect(!big.overlaps(other) && !other.overlaps(small))
        #expect(try IPv4Prefix(parsing: "0.0.0.0/0").contains(other))
    }

    @Test func `addresses are counted from the first and end with the block`() throws {
        let subnet = try IPv4Prefix(parsing: "10.244.20.0/30")
        #expect(subnet.address(at: 1)?.description == "10.244.20.1")
        #expect(subnet.last.description == "10.244.20.3")
        #expect(subnet.address(at: 4) == nil)
        #expect(subnet.address(at: -1) == nil)
        #expect(try IPv4Prefix(parsing: "255.255.255.252/30").address(at: 4) == nil)
    }
}

@Suite struct MACAddressTests {
    @Test func `a MAC address is read in either case and printed in lower case`() throws {
        #expect(try MACAddress(parsing: "3A:58:8f:c1:3c:7e").description == "3a:58:8f:c1:3c:7e")
    }

    @Test(arguments: [
        "", "3a:58:8f:c1:3c", "3a-58-8f-c1-3c-7e", "3a:58:8f:c1:3c:7g", "3a:58:8f:c1:3c:7e:00", "3a588fc13c7e",
    ])
    func `anything else is refused`(text: String) {
        #expect(throws: AddressParsingError(text, expected: .macAddress)) { try MACAddress(parsing: text) }
    }

    @Test func `a made-up address is local and unicast whatever the random bits`() {
        for bits in [0, UInt64.max, 0x1234_5678_9ABC_DEF0] {
            let mac = MACAddress(locallyAdministered: bits)
            #expect(!mac.isMulticast)
            #expect(mac.bytes[0] & 2 == 2)
        }
    }
}
