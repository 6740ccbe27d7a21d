// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Testing

@testable import tartan_cni

/// Who has which address, on disk.
@Suite struct AddressStoreTests {
    private let temporary: TemporaryFolder
    private var folder: String { "\(temporary.path)/pods" }
    private let pools: [AddressPool]

    init() throws {
        temporary = try TemporaryFolder()
        pools = [.v4(.init(try IPv4Prefix(parsing: "10.1.2.0/29")))]
    }

    private func reserve(
        _ container: String, _ pools: [AddressPool]? = nil, requested: [String] = []
    ) throws -> [String] {
        var store = try AddressStore.open(folder)
        let wishes = try requested.map { try IPAddress(parsing: $0) }
        return try store.reserve(
            for: Attachment(containerID: container, interface: "eth0"), from: pools ?? self.pools, requested: wishes
        ).map(\.description)
    }

    private func release(_ container: String) throws -> [String] {
        var store = try AddressStore.open(folder)
        return try store.release(Attachment(containerID: container, interface: "eth0")).map(\.description)
    }

    private func code(_ body: () throws -> Void) -> Int? {
        do {
            try body()
            return nil
        } catch {
            return (error as? PluginError)?.code.rawValue
        }
    }

    @Test func `the folder is the reference plugin's, byte for byte`() throws {
        #expect(try reserve("c1") == ["10.1.2.2"])
        #expect(Set(File.names(in: folder)) == ["10.1.2.2", "last_reserved_ip.0", "lock"])
        #expect(File.read("\(folder)/10.1.2.2") == "c1\r\neth0")
        #expect(File.read("\(folder)/last_reserved_ip.0") == "10.1.2.2")
    }

    @Test func `what the reference plugin wrote is ours`() throws {
        try File.write("c1\r\neth0", to: "\(folder)/10.1.2.2")
        try File.write("old-style", to: "\(folder)/10.1.2.3")
        try File.write("10.1.2.3", to: "\(folder)/last_reserved_ip.0")
        #expect(try reserve("c2") == ["10.1.2.4"])
        #expect(code { _ = try reserve("c1") } == 102)
        #expect(try release("old-style") == ["10.1.2.3"])
        #expect(try release("c1") == ["10.1.2.2"])
        #expect(try release("c1") == [])
    }

    @Test func `a freed address rests until all others had their turn`() throws {
        var order: [String] = []
        for turn in 0..<7 {
            order += try reserve("c\(turn)")
            #expect(try release("c\(turn)") == order.suffix(1))
        }
        #expect(order.map { $0.suffix(1) } == ["2", "3", "4", "5", "6", "2", "3"])
    }

    @Test func `an exhausted range is an error that names it, and a freed address ends it`() throws {
        for number in 0..<5 { _ = try reserve("c\(number)") }
        #expect(code { _ = try reserve("c5") } == 100)
        #expect(File.names(in: folder).count == 5 + 2)
        #expect(try release("c2") == ["10.1.2.4"])
        #expect(try reserve("c5") == ["10.1.2.4"])
    }

    @Test func `an address of each family or none`() throws {
        let both = pools + [.v6(.init(try IPv6Prefix(parsing: "fd00::/126")))]
        #expect(try reserve("c1", both) == ["10.1.2.2", "fd00::2"])
        #expect(File.read("\(folder)/last_reserved_ip.1") == "fd00::2")
        #expect(try reserve("c2", both) == ["10.1.2.3", "fd00::3"])
        // The second family has no more; the first is given back.
        #expect(code { _ = try reserve("c3", both) } == 100)
        #expect(!File.exists("\(folder)/10.1.2.4"))
        #expect(try release("c1") == ["10.1.2.2", "fd00::2"])
    }

    @Test func `an address asked for is given, or refused with its holder's name`() throws {
        #expect(try reserve("c1", requested: ["10.1.2.5"]) == ["10.1.2.5"])
        #expect(code { _ = try reserve("c2", requested: ["10.1.2.5"]) } == 101)
        for stray in ["10.1.2.0", "10.1.2.1", "10.1.2.7", "10.1.3.2", "fd00::2"] {
            #expect(code { _ = try reserve("c2", requested: [stray]) } == 101, "\(stray)")
        }
        do {
            _ = try reserve("c2", requested: ["10.1.2.5"])
        } catch let error as PluginError {
            #expect(error.message.contains("container c1"))
        }
        #expect(try release("c2") == [])
    }

    @Test(arguments: ["", "\u{0}\u{0}\u{0}", "/etc/passwd\r\neth0", "\r\n"])
    func `a damaged file keeps its address from everybody and is told`(text: String) throws {
        try File.write(text, to: "\(folder)/10.1.2.2")
        #expect(try reserve("c1") == ["10.1.2.3"])
        #expect(code { _ = try reserve("c2", requested: ["10.1.2.2"]) } == 101)
        let store = try AddressStore.open(folder)
        #expect(store.damaged == ["\(folder)/10.1.2.2"])
    }

    @Test func `a damaged mark of the last address only costs the turn`() throws {
        try File.write("what?", to: "\(folder)/last_reserved_ip.0")
        #expect(try reserve("c1") == ["10.1.2.2"])
        try File.write("192.0.2.1", to: "\(folder)/last_reserved_ip.0")
        #expect(try reserve("c2") == ["10.1.2.3"])
    }

    @Test func `a file that a killed process left half written is nobody's address`() throws {
        _ = try reserve("c1")
        try File.write("c9\r\ne", to: "\(folder)/.new")
        #expect(try reserve("c2") == ["10.1.2.3"])
        #expect(!File.exists("\(folder)/.new"))
    }

    @Test func `the reserved addresses of a subnet are never given, whatever its size`() throws {
        for length in 20...30 {
            let subnet = try #require(IPv4Prefix(IPv4Address(10, 1, 0, 0), length: length))
            let pool = FamilyPool(subnet)
            var seen: Set<IPv4Address> = []
            var last: IPv4Address?
            while let next = pool.next(after: last, isTaken: { seen.contains($0) }) {
                seen.insert(next)
                last = next
            }
            #expect(seen.count == 1 << (32 - length) - 3)
            #expect(!seen.contains(subnet.address) && !seen.contains(subnet.last) && !seen.contains(pool.gateway))
        }
    }

    @Test func `any last address leads round the whole pool`() throws {
        var random = SystemRandomNumberGenerator()
        let pool = FamilyPool(try IPv4Prefix(parsing: "10.1.2.0/28"))
        for _ in 0..<200 {
            let taken = Set((2...14).filter { _ in Bool.random(using: &random) }.map { IPv4Address(10, 1, 2, $0) })
            let last = IPv4Address(10, 1, 2, UInt8.random(in: 0...20, using: &random))
            let next = pool.next(after: last) { taken.contains($0) }
            #expect((next == nil) == (taken.count == 13))
            if let next { #expect(pool.contains(next) && !taken.contains(next)) }
        }
    }
}
