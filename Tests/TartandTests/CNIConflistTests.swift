// SPDX-License-Identifier: Apache-2.0

import Foundation
import NodeAgent
import Testing

@testable import tartand

/// The file that tells container runtimes of the pods' network.
@Suite struct CNIConflistTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func conflist(_ name: String = "10-tartan.conflist", portmap: Bool = false) -> CNIConflist {
        CNIConflist(path: "\(folder.path)/\(name)", subnetFile: "/run/flannel/subnet.env", chainsPortmap: portmap)
    }

    @Test func `it names the plugin with the daemon's subnet file, for every runtime's version`() throws {
        #expect(
            try conflist().text() == """
                {
                  "cniVersion" : "1.0.0",
                  "cniVersions" : [
                    "0.3.1",
                    "0.4.0",
                    "1.0.0",
                    "1.1.0"
                  ],
                  "name" : "cbr0",
                  "plugins" : [
                    {
                      "capabilities" : {
                        "ips" : true,
                        "mac" : true
                      },
                      "hairpinMode" : true,
                      "ipMasq" : false,
                      "subnetFile" : "/run/flannel/subnet.env",
                      "type" : "tartan-cni"
                    }
                  ]
                }

                """)
    }

    @Test func `portmap comes behind it where that was asked for`() throws {
        let text = try conflist(portmap: true).text()
        let list = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let plugins = try #require(list["plugins"] as? [[String: Any]])
        #expect(plugins.compactMap { $0["type"] as? String } == ["tartan-cni", "portmap"])
        #expect(plugins[1]["capabilities"] as? [String: Bool] == ["portMappings": true])
    }

    @Test func `a relative subnet file is told from the root on`() throws {
        let conflist = CNIConflist(path: "/x.conflist", subnetFile: "subnet.env", chainsPortmap: false)
        #expect(conflist.subnetFile == "\(FileManager.default.currentDirectoryPath)/subnet.env")
    }

    @Test func `it is written once, put back when it is another, and nothing is left beside it`() throws {
        let conflist = conflist()
        #expect(try conflist.put() == CNIAnnouncer.Outcome(isWritten: true, earlier: []))
        let before = try FileManager.default.attributesOfItem(atPath: conflist.path)
        #expect(try conflist.put() == CNIAnnouncer.Outcome(isWritten: false, earlier: []))
        let after = try FileManager.default.attributesOfItem(atPath: conflist.path)
        #expect(before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int)
        try "{".write(toFile: conflist.path, atomically: false, encoding: .utf8)
        #expect(try conflist.put().isWritten)
        #expect(try String(contentsOfFile: conflist.path, encoding: .utf8) == conflist.text())
        #expect(folder.names == ["10-tartan.conflist"])
    }

    @Test func `other networks' files that runtimes take before it are named`() throws {
        let others = ["05-calico.conflist", "10-flannel.conflist", "00-loopback.conf", "0.txt", "99-x.json"]
        for name in others {
            _ = try folder.file(name, "{}")
        }
        let earlier = ["00-loopback.conf", "05-calico.conflist", "10-flannel.conflist"].map { "\(folder.path)/\($0)" }
        #expect(try conflist().put().earlier == earlier)
    }

    @Test func `a folder that is missing is not made, since no runtime would look there`() throws {
        let conflist = conflist("net.d/10-tartan.conflist")
        let fault = #expect(throws: FileFault.self) { try conflist.put() }
        #expect("\(try #require(fault))".contains("net.d/10-tartan.conflist"))
        #expect(folder.names == [])
    }
}
