// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Testing

@testable import tartand

/// The MAC address that the kernel still has of a daemon whose memory is gone.
@Suite struct KeptMACTests {
    /// A host with these devices.
    private struct Host: DataplaneDriver {
        var devices: [String: MACAddress] = [:]
        var others: Set<String> = []

        func existingMAC(ofDevice name: String) async throws(DataplaneError) -> MACAddress? {
            guard !others.contains(name) else {
                throw DataplaneError(remedy: .misconfigured, description: "\(name) is no VXLAN device")
            }
            return devices[name]
        }

        func underlay(_ selection: UnderlaySelection) async throws(DataplaneError) -> Underlay {
            Underlay(name: "eth0", index: 2, mtu: 1500, address: .any)
        }
        func prepare<Address: DataplaneAddress>(_ device: VXLANDevice<Address>) async throws(DataplaneError) {}
        func supportsNextHops() async throws(DataplaneError) -> Bool { true }
        func seen() async throws(DataplaneError) -> DataplaneState<IPv4Address> { DataplaneState() }
        func apply(_ operations: [Operation<IPv4Address>]) async -> [OperationFailure] { [] }
    }

    private let mac = MACAddress(bits: 0x0200_0000_0042)

    @Test func `is that of IPv4's device, else the one that goes with IPv6's`() async throws {
        #expect(try await Host().keptMAC(chosen: nil) == nil)
        #expect(try await Host(devices: ["tartan.1": mac]).keptMAC(chosen: nil) == mac)
        #expect(try await Host(devices: ["tartan-v6.1": mac.sibling]).keptMAC(chosen: nil) == mac)
        let name = IPv6Address.deviceName(vni: 1, chosen: "vx0")
        #expect(try await Host(devices: [name: mac.sibling]).keptMAC(chosen: "vx0") == mac)
    }

    @Test func `a chosen name that is another kind of device's is refused, a guessed one is not`() async throws {
        #expect(try await Host(others: ["tartan.1", "tartan-v6.1"]).keptMAC(chosen: nil) == nil)
        await #expect(throws: DataplaneError.self) { try await Host(others: ["vx0"]).keptMAC(chosen: "vx0") }
    }
}
