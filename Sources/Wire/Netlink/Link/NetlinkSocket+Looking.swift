// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import IPAddressing

extension NetlinkSocket {
    /// What netdevice(7) tells of the link of that name in the socket's namespace: index, whether it is up, promiscuous
    /// and running, MAC address and MTU, and no more; `nil` where there is none.
    ///
    /// It waits for nobody: RTM_GETLINK takes the lock that everybody who changes the network holds, and of many at once
    /// each waits for all others, every time.
    borrowing func look(at name: String) throws(NetlinkError) -> LinkMessage? {
        var found = clinux_interface()
        guard unsafe clinux_look_at_interface(descriptor, name, &found) == 0 else {
            if errno == ENODEV { return nil }
            throw NetlinkError(operand: "link \(name)", cause: .system("ioctl", .last))
        }
        let flags = UInt32(found.flags)
        var link = LinkMessage(
            index: UInt32(bitPattern: found.index), name: name, isUp: flags & LinkFlags.up != 0, mtu: found.mtu)
        link.isPromiscuous = flags & LinkFlags.promiscuous != 0
        link.isRunning = flags & LinkFlags.running != 0
        if found.has_mac != 0 {
            let mac = found.mac
            link.mac = MACAddress(bytes: [mac.0, mac.1, mac.2, mac.3, mac.4, mac.5])
        }
        return link
    }
}

extension RouteConnection {
    /// The same in the connection's namespace.
    package borrowing func look(at name: String) throws(NetlinkError) -> LinkMessage? {
        try socket.look(at: name)
    }
}
