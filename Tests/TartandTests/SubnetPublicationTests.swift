// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import Testing

@testable import tartand

/// The subnet file, written by two loops in whatever order.
@Suite struct SubnetPublicationTests {
    private let folder: TemporaryFolder
    private let file: SubnetFile
    private let key: SubnetKey

    init() throws {
        folder = try TemporaryFolder()
        let subnet = try IPv4Prefix(parsing: "10.244.20.0/24")
        file = SubnetFile(
            network: try IPv4Prefix(parsing: "10.244.0.0/16"), subnet: subnet, mtu: 1450, masquerade: false)
        key = SubnetKey(subnet)
    }

    private func isLost(_ publication: SubnetPublication) throws -> Bool {
        try SubnetFile(parsing: try #require(publication.text)).isLeaseLost
    }

    @Test func `a lost subnet is told, not promised again, and free of the word once it is leased again`() throws {
        let publication = SubnetPublication("\(folder.path)/subnet.env")
        try publication.forfeit(key)
        #expect(publication.text == nil, "nothing was promised")
        publication.regain(key)
        #expect(try publication.publish(file))
        #expect(publication.text == file.text)
        try publication.forfeit(key)
        #expect(try isLost(publication))
        // The other loop has not heard of it yet.
        #expect(try !publication.publish(file))
        #expect(try isLost(publication))
        publication.regain(key)
        #expect(try publication.publish(file))
        #expect(publication.text == file.text)
    }

    @Test func `another subnet takes the word away, and one from an earlier run can be lost`() throws {
        let path = try folder.file("subnet.env", file.text)
        let publication = SubnetPublication(path)
        try publication.forfeit(key)
        #expect(try isLost(publication))
        var other = file
        other.subnet = try IPv4Prefix(parsing: "10.244.21.0/24")
        #expect(try publication.publish(other))
        #expect(publication.text == other.text)
        try publication.forfeit(key)
        #expect(publication.text == other.text, "the file is not of that subnet")
    }

    @Test func `a lease with one half of a lost one takes the word away`() throws {
        let publication = SubnetPublication("\(folder.path)/subnet.env")
        func dual(_ ipv6: String) throws -> SubnetFile {
            var dual = file
            dual.ipv6Network = try IPv6Prefix(parsing: "fd00::/56")
            dual.ipv6Subnet = try IPv6Prefix(parsing: ipv6)
            return dual
        }
        let (first, second) = (try dual("fd00:0:0:1::/64"), try dual("fd00:0:0:2::/64"))
        #expect(try publication.publish(first))
        try publication.forfeit(SubnetKey(first.subnet, ipv6Subnet: first.ipv6Subnet))
        publication.regain(SubnetKey(second.subnet, ipv6Subnet: second.ipv6Subnet))
        #expect(try publication.publish(second))
        #expect(publication.text == second.text)
    }

    @Test func `a loss that is told again is forgotten where the subnet was leased again meanwhile`() throws {
        let publication = SubnetPublication("\(folder.path)/subnet.env")
        #expect(try publication.publish(file))
        try publication.forfeit(key)
        publication.regain(key)
        #expect(try publication.publish(file))
        // The other loop comes to it only now.
        try publication.repeatLoss(of: key)
        #expect(publication.text == file.text)
        #expect(try publication.publish(file))
    }

    @Test func `a loss whose writing failed is told when it is repeated`() throws {
        let path = "\(folder.path)/there/subnet.env"
        let publication = SubnetPublication(path)
        #expect(try publication.publish(file))
        try publication.forfeit(key)
        try AtomicFile(path).replace(with: file.text)
        try publication.repeatLoss(of: key)
        #expect(try isLost(publication))
    }
}
