// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Foundation
import Testing

@testable import LinuxDataplane

@Suite struct NetworkdTests {
    private static let state = "/run/systemd/netif/state"

    @Test func `it counts only where it runs`() throws {
        let root = try TemporaryRoot()
        try root.write("[Network]\nManageForeignRoutes=no\n", to: "/etc/systemd/networkd.conf")
        #expect(HostFacts.Networkd(root.files) == nil)
        try root.write("OPER_STATE=routable\n", to: Self.state)
        #expect(HostFacts.Networkd(root.files)?.managesForeignRoutes == false)
        #expect(HostFacts.Networkd(root.files)?.managesForeignNextHops == true)
    }

    @Test(arguments: [
        ("", true), ("[Network]\nManageForeignRoutes=no", false), ("[Network]\n ManageForeignRoutes = off \n", false),
        ("[Network]\n#ManageForeignRoutes=no", true), ("[Network]\n;ManageForeignRoutes=no", true),
        ("[DHCPv4]\nManageForeignRoutes=no", true), ("ManageForeignRoutes=no", true),
        ("[Network]\nManageForeignRoutes=maybe", true), ("[Network]\nManageForeignRoutes=", true),
        ("[Network]\nManageForeignRoutes=no\nManageForeignRoutes=yes", true),
        ("[DHCPv4]\n[Network]\nManageForeignRoutes=FALSE", false),
    ])
    func `routes are managed unless the section says no`(text: String, isManaged: Bool) {
        let networkd = HostFacts.Networkd(texts: [text])
        #expect(networkd.managesForeignRoutes == isManaged && networkd.managesForeignNextHops)
    }

    @Test func `only the first main file counts`() throws {
        let root = try TemporaryRoot()
        try root.write("", to: Self.state)
        try root.write("[Network]\nManageForeignRoutes=no\n", to: "/usr/lib/systemd/networkd.conf")
        #expect(HostFacts.Networkd(root.files)?.managesForeignRoutes == false)
        try root.write("[Network]\n", to: "/etc/systemd/networkd.conf")
        #expect(HostFacts.Networkd(root.files)?.managesForeignRoutes == true)
    }

    @Test func `drop-ins come after it by name, and the more important folder hides a name`() throws {
        let root = try TemporaryRoot()
        try root.write("", to: Self.state)
        try root.write("[Network]\nManageForeignRoutes=yes\n", to: "/etc/systemd/networkd.conf")
        try root.write("[Network]\nManageForeignRoutes=no\n", to: "/usr/lib/systemd/networkd.conf.d/50-a.conf")
        #expect(HostFacts.Networkd(root.files)?.managesForeignRoutes == false)
        try root.write("[Network]\nManageForeignRoutes=yes\n", to: "/run/systemd/networkd.conf.d/60-b.conf")
        #expect(HostFacts.Networkd(root.files)?.managesForeignRoutes == true)
        try FileManager.default.createDirectory(
            atPath: root.path + "/etc/systemd/networkd.conf.d", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: root.path + "/etc/systemd/networkd.conf.d/60-b.conf", withDestinationPath: "/dev/null")
        #expect(HostFacts.Networkd(root.files)?.managesForeignRoutes == false)
        try root.write("[Network]\nManageForeignRoutes=yes\n", to: "/etc/systemd/networkd.conf.d/70-c.txt")
        #expect(HostFacts.Networkd(root.files)?.managesForeignRoutes == false)
    }
}
