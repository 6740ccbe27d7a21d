// SPDX-License-Identifier: Apache-2.0

import APISchema
import Testing

@testable import NodeClient

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:9470", "http://127.0.0.1:9470"), ("http://127.0.0.1:9470/", "http://127.0.0.1:9470"),
        ("127.0.0.1:9471", "http://127.0.0.1:9471"), ("node7", "http://node7:9470"),
        ("HTTPS://node7", "https://node7:9470"), ("http://[::1]:80", "http://[::1]:80"),
        ("[::1]", "http://[::1]:9470"), ("unix:/run/t.sock", "unix:/run/t.sock"),
        ("unix:///run/t.sock", "unix:/run/t.sock"),
    ])
    func `an address is read in every form that people write`(text: String, canonical: String) throws {
        #expect(try ServerAddress(parsing: text).description == canonical)
    }

    @Test(arguments: [
        "", "http://", "ftp://x", "http://x/v1", "http://user@x", "http://x:0", "http://x:99999", "http://x:port",
        "unix:", "unix:run/t.sock", ":9470", "a b", "::1",
    ])
    func `a text that is no address is refused by name`(text: String) {
        let error = #expect(throws: ServerAddressError.self) { try ServerAddress(parsing: text) }
        #expect(error?.description.contains("'\(text)'") == true)
    }

    @Test func `a filter asks for what is set, with everything else escaped`() {
        #expect(LeaseFilter().query() == "")
        let filter = LeaseFilter(node: "näh e&1", contains: "10.244.20.0/24", kind: .reservation)
        #expect(
            filter.query(continue: "a=") == "?node=n%C3%A4h%20e%261&contains=10.244.20.0%2F24&kind=reservation"
                + "&continue=a%3D")
    }

    @Test func `a lease's key is its path`() {
        var lease = LeaseDocument.example
        #expect(lease.key == "10.244.20.0-24")
        lease.ipv6Subnet = "fd00:10:244:14::/64"
        #expect(lease.key == "10.244.20.0-24&fd00:10:244:14::-64")
    }
}

extension LeaseDocument {
    static let example = LeaseDocument(
        subnet: "10.244.20.0/24", ipv6Subnet: nil, node: "n1", publicIP: "192.168.1.10", publicIPv6: nil, kind: .lease,
        owner: "tartan", backend: BackendDocument(type: "vxlan", vni: 1, vtepMAC: "02:00:00:00:00:01"),
        etcdLease: "694d85", createRevision: "12", modRevision: "12", local: false)
}
