// SPDX-License-Identifier: Apache-2.0

/// One interface of one container in a network: what every resource belongs to.
struct Attachment: Hashable {
    let containerID: String
    let interface: String

    /// The host's end of the pod's link.
    ///
    /// Made from the network, container and interface, so that the link is found again without its other end, when the
    /// container's namespace is gone. 55 bits of them are told apart: two of 1,000 pods meet once in 70 billion nodes.
    func hostLink(network: String) -> String {
        // FNV-1a, which has no secrets to keep, with a last mixing so that all bits depend on all bytes.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in [network, containerID, interface] {
            for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = hash &* 0x100_0000_01B3  // the part's end, as a byte 0
        }
        hash = (hash ^ (hash >> 32)) &* 0xD6E8_FEB8_6659_FD93
        hash ^= hash >> 32
        let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)
        let name = (0..<11).map { digits[Int(hash >> UInt64(5 * $0) & 31)] }
        return "veth" + String(decoding: name, as: UTF8.self)
    }
}
