// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
package import IPAddressing

/// The unasked-for word to everybody on a link that an address is at a MAC address, so that nobody goes on with an
/// older answer: an ARP announcement (RFC 5227 section 2.3) or an unsolicited neighbour advertisement (RFC 4861
/// section 7.2.6).
package struct AddressAnnouncement: Hashable, Sendable {
    package let address: IPAddress
    package let mac: MACAddress

    package init(address: IPAddress, mac: MACAddress) {
        self.address = address
        self.mac = mac
    }

    /// Sends it by the interface of that index in the calling thread's namespace; needs CAP_NET_RAW.
    package func send(by device: UInt32) throws(NetlinkError) {
        let descriptor = socket(17, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)  // AF_PACKET
        guard descriptor >= 0 else { throw failure("socket") }
        defer { close(descriptor) }
        var link = sockaddr_ll()
        link.sll_family = 17
        link.sll_ifindex = Int32(truncatingIfNeeded: device)
        let frame = frame
        let sent = unsafe withUnsafePointer(to: &link) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(descriptor, frame, frame.count, 0, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        guard sent == frame.count else { throw failure("sendto") }
    }

    private func failure(_ call: String) -> NetlinkError {
        NetlinkError(operand: "announcement of \(address)", cause: .system(call, .last))
    }

    /// The whole Ethernet frame.
    var frame: [UInt8] {
        switch address {
        case .v4(let address): arp(address)
        case .v6(let address): advertisement(address)
        }
    }

    /// A request for itself (RFC 826): who asks and who is asked for are the same.
    private func arp(_ address: IPv4Address) -> [UInt8] {
        let own = Self.bytes(address.bits)
        var frame = [UInt8](repeating: 0xFF, count: 6) + mac.bytes + [0x08, 0x06]
        frame += [0, 1, 0x08, 0, 6, 4, 0, 1]
        frame += mac.bytes + own + [UInt8](repeating: 0, count: 6) + own
        return frame
    }

    /// To all nodes, with the override flag, from the address itself.
    private func advertisement(_ address: IPv6Address) -> [UInt8] {
        let everybody = [0xFF, 0x02] + [UInt8](repeating: 0, count: 13) + [1]
        var body: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + address.bytes + [2, 1] + mac.bytes
        let length: [UInt8] = [0, 0, 0, UInt8(body.count)]
        let sum = Self.checksum(address.bytes + everybody + length + [0, 0, 0, 58] + body)
        body[2] = UInt8(sum >> 8)
        body[3] = UInt8(sum & 0xFF)
        var frame: [UInt8] = [0x33, 0x33, 0, 0, 0, 1] + mac.bytes + [0x86, 0xDD]
        frame += [0x60, 0, 0, 0, 0, UInt8(body.count), 58, 255] + address.bytes + everybody + body
        return frame
    }

    private static func bytes(_ bits: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(24 - 8 * $0)) }
    }

    /// The Internet's (RFC 1071) over an even number of bytes.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        }
        while sum > 0xFFFF { sum = sum >> 16 + sum & 0xFFFF }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
