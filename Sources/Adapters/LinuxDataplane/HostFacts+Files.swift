// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Glibc

extension HostFacts {
    /// What files tell. /proc/self would be the namespace of the process's first thread; these are the calling thread's.
    init(_ files: HostFiles) {
        self.init()
        kernel = (files.text("/proc/sys/kernel/osrelease") ?? "").filter { !$0.isWhitespace }
        supportsVXLAN = Self.supportsVXLAN(files, kernel: kernel)
        forwardsIPv4 = files.number("/proc/sys/net/ipv4/ip_forward").map { $0 != 0 }
        forwardsIPv6 = files.number("/proc/sys/net/ipv6/conf/all/forwarding").map { $0 != 0 }
        for name in files.names(in: "/proc/sys/net/ipv4/conf") {
            reversePathFilters[name] = files.number("/proc/sys/net/ipv4/conf/\(name)/rp_filter")
        }
        for name in files.names(in: "/proc/sys/net/ipv6/conf") {
            let folder = "/proc/sys/net/ipv6/conf/\(name)"
            routerAdvertisements[name] = files.number("\(folder)/accept_ra")
            ipv6Disabled[name] = files.number("\(folder)/disable_ipv6").map { $0 != 0 }
        }
        let bridge = "/proc/sys/net/bridge/bridge-nf-call-"
        bridgesThroughIPTables = files.number("\(bridge)iptables").map { $0 != 0 }
        bridgesThroughIP6Tables = files.number("\(bridge)ip6tables").map { $0 != 0 }
        hasLegacyIPTables = Self.hasFilter(files.text("/proc/thread-self/net/ip_tables_names"))
        hasLegacyIP6Tables = Self.hasFilter(files.text("/proc/thread-self/net/ip6_tables_names"))
        networkd = Networkd(files)
        for path in ["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"] {
            udpPorts.formUnion(Self.localPorts(files.text(path) ?? ""))
        }
    }

    private static func hasFilter(_ names: String?) -> Bool {
        names?.split(whereSeparator: \.isNewline).contains("filter") ?? false
    }

    /// Loaded or built in with a folder of its parameters; else what modules there are. `nil` where their lists can't
    /// be read, as in a container: the kernel may load it all the same.
    private static func supportsVXLAN(_ files: HostFiles, kernel: String) -> Bool? {
        if files.exists("/sys/module/vxlan") { return true }
        let folder = "/lib/modules/\(kernel)"
        let lists = ["modules.dep", "modules.builtin"].compactMap { files.text("\(folder)/\($0)") }
        guard !lists.isEmpty else { return nil }
        return lists.contains { $0.contains("/vxlan.ko") }
    }

    /// The second column, `ADDRESS:PORT` in hexadecimal digits (Documentation/networking/proc_net_tcp.rst).
    private static func localPorts(_ table: String) -> [UInt16] {
        table.split(whereSeparator: \.isNewline).dropFirst().compactMap { line in
            let columns = line.split(separator: " ", maxSplits: 2)
            guard columns.count == 3, let colon = columns[1].lastIndex(of: ":") else { return nil }
            return UInt16(columns[1][columns[1].index(after: colon)...], radix: 16)
        }
    }
}
