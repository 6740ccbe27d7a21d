// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Testing

@testable import NodeAPI

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:9470", true), ("[::1]:9470", true), ("0.0.0.0:9470", false), ("[::]:0", false),
        ("192.168.1.10:65535", false), ("unix:/run/tartan/api.sock", true), ("none", true),
    ])
    func `an address is read, and written as it was`(text: String, isLocal: Bool) throws {
        let address = try ListenAddress(parsing: text)
        #expect(address.description == text)
        #expect(address.isLocal == isLocal)
    }

    @Test func `localhost is the loopback address`() throws {
        #expect(try ListenAddress(parsing: "localhost:80") == .tcp(.v4(IPv4Address(127, 0, 0, 1)), port: 80))
    }

    @Test(arguments: [
        "", "9470", ":9470", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "::1:9470",
        "[127.0.0.1]:9470", "host:9470", "unix:", "unix:api.sock", "unix:/run/", "None", " none",
    ])
    func `what is no address is refused by name`(text: String) {
        let error = #expect(throws: ListenAddressError.self) { try ListenAddress(parsing: text) }
        #expect(error?.description.hasPrefix("'\(text)' must") == true)
    }

    @Test func `a socket's path must fit`() throws {
        let name = String(repeating: "a", count: 106)
        #expect(throws: Never.self) { try ListenAddress(parsing: "unix:/\(name)") }
        #expect(throws: ListenAddressError.self) { try ListenAddress(parsing: "unix:/\(name)a") }
    }
}
