// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Testing

@testable import LinuxDataplane

@Suite struct HostFilesTests {
    @Test func `nothing is known of a machine without files`() throws {
        #expect(HostFacts(try TemporaryRoot().files) == HostFacts())
    }

    @Test func `settings are read from where the kernel shows them`() throws {
        let root = try TemporaryRoot()
        try root.write("6.1.0-test\n", to: "/proc/sys/kernel/osrelease")
        try root.write("1\n", to: "/proc/sys/net/ipv4/ip_forward")
        try root.write("0\n", to: "/proc/sys/net/ipv6/conf/all/forwarding")
        try root.write("0\n", to: "/proc/sys/net/ipv4/conf/all/rp_filter")
        try root.write("1\n", to: "/proc/sys/net/ipv4/conf/tartan.1/rp_filter")
        try root.write("1\n", to: "/proc/sys/net/bridge/bridge-nf-call-iptables")
        try root.write("0\n", to: "/proc/sys/net/bridge/bridge-nf-call-ip6tables")
        try root.write("nat\nfilter\n", to: "/proc/thread-self/net/ip_tables_names")
        try root.write("nat\n", to: "/proc/thread-self/net/ip6_tables_names")
        var expected = HostFacts()
        expected.kernel = "6.1.0-test"
        expected.forwardsIPv4 = true
        expected.forwardsIPv6 = false
        expected.reversePathFilters = ["all": 0, "tartan.1": 1]
        expected.bridgesThroughIPTables = true
        expected.bridgesThroughIP6Tables = false
        expected.hasLegacyIPTables = true
        #expect(HostFacts(root.files) == expected)
    }

    @Test func `ports are read from both of the kernel's lists`() throws {
        let root = try TemporaryRoot()
        // As Linux 6.18 printed them for a VXLAN device and a name server.
        let header =
            "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref"
        try root.write(
            "\(header)\n 6589: 00000000:2118 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 387398 2\n",
            to: "/proc/thread-self/net/udp")
        try root.write(
            "\(header)\n  171: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 07\n\nnoise\n",
            to: "/proc/thread-self/net/udp6")
        #expect(HostFacts(root.files).udpPorts == [8472, 53])
    }

    @Test func `VXLAN is there if loaded, or a module, or built in; without lists nobody knows`() throws {
        let root = try TemporaryRoot()
        try root.write("6.1\n", to: "/proc/sys/kernel/osrelease")
        #expect(HostFacts(root.files).supportsVXLAN == nil)
        try root.write("kernel/fs/ext4/ext4.ko:\n", to: "/lib/modules/6.1/modules.dep")
        #expect(HostFacts(root.files).supportsVXLAN == false)
        try root.write("kernel/drivers/net/vxlan/vxlan.ko\n", to: "/lib/modules/6.1/modules.builtin")
        #expect(HostFacts(root.files).supportsVXLAN == true)
        try root.write("", to: "/lib/modules/6.1/modules.builtin")
        try root.write(
            "kernel/drivers/net/vxlan/vxlan.ko.xz: kernel/net/ipv4/udp_tunnel.ko.xz\n",
            to: "/lib/modules/6.1/modules.dep")
        #expect(HostFacts(root.files).supportsVXLAN == true)
        try root.write("", to: "/lib/modules/6.1/modules.dep")
        #expect(HostFacts(root.files).supportsVXLAN == false)
        try root.write("0\n", to: "/sys/module/vxlan/parameters/udp_port")
        #expect(HostFacts(root.files).supportsVXLAN == true)
    }

    @Test func `a file that can't be written says why`() throws {
        let root = try TemporaryRoot()
        #expect(throws: HostFileError.self) { try root.files.write("1", to: "/absent") }
        do {
            try root.files.write("1", to: "/absent")
        } catch {
            #expect("\(error)" == "/absent: ENOENT")
        }
        #expect(root.files.text("/absent") == nil && root.files.names(in: "/absent") == [])
    }
}
