// SPDX-License-Identifier: Apache-2.0

extension RouteSocket {
    /// Of one device, or all. EOPNOTSUPP before Linux 5.3.
    package func nextHops(device: UInt32? = nil) throws(NetlinkError) -> [NextHopMessage] {
        try list(NextHopMessage(device: device))
    }

    package func addNextHop(_ nextHop: NextHopMessage, replacing: Bool = false) throws(NetlinkError) {
        try perform(.new, nextHop, replacing ? [.create, .replace] : [.create, .exclusive])
    }

    /// Takes its routes with it. Success also where there is none of that number.
    package func removeNextHop(_ id: UInt32) throws(NetlinkError) { try remove(NextHopMessage(id: id)) }
}
