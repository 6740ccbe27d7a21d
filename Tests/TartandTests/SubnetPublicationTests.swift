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
        try publication.publish(file)
        #expect(publication.text == file.text)
        try publication.forfeit(key)
        #expect(try isLost(publication))
        // The other loop has not heard of it yet.
        try publication.publish(file)
        #expect(try isLost(publication))
        publication.regain(key)
        try publication.publish(file)
        #expect(publication.text == file.text)
    }

    @Test func `another subnet takes the word away, and one from an earlier run can be lost`() throws {
        let path = try folder.file("subnet.env", file.text)
        let publication = SubnetPublication(path)
        try publication.forfeit(key)
        #expect(try isLost(publication))
        var other = file
        other.subnet = try IPv4Prefix(parsing: "10.244.21.0/24")
        try publication.publish(other)
        #expect(publication.text == other.text)
        try publication.forfeit(key)
        #expect(publication.text == other.text, "the file is not of that subnet")
    }
}
