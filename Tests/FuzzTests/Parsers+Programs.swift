// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import JSONText

@testable import tartan
@testable import tartan_cni
@testable import tartand

extension FuzzedParser {
    /// What the programs are given: CNI's configuration, the network config as an operator wrote it, YAML.
    static let programs: [FuzzedParser] = [
        FuzzedParser(
            "cni-config",
            words: jsonWords + [
                "cniVersion", "1.1.0", "ipam", "routes", "dst", "prevResult", "ips", "cni.dev/attachments",
            ]
        ) { bytes in
            for command in ["ADD", "CHECK", "GC"] {
                let variables = [
                    "CNI_COMMAND": command, "CNI_CONTAINERID": "c", "CNI_IFNAME": "eth0", "CNI_NETNS": "/n",
                    "CNI_PATH": "/p",
                ]
                guard let invocation = try? Invocation(environment: { variables[$0] }) else { continue }
                _ = try? NetworkConfiguration(bytes, invocation)
            }
            _ = DNSSettings(resolvConf: String(decoding: bytes, as: UTF8.self))
        },
        FuzzedParser("config-tree", words: jsonWords + ["Network", "Backend"]) { bytes in
            guard let tree = try? JSONTree(parsing: bytes) else { return }
            let again = try? JSONTree(parsing: Array(tree.json(pretty: true).utf8))
            try BrokenPromise.unless(again == tree, "\(tree) is not read as written")
            _ = tree.yaml
        },
        FuzzedParser(
            "yaml-config",
            words: ["iface: ", "&a ", "*a", "- ", "[", "]", "{", "}", "!!binary ", "|", "\n", "<<: ", "? ", "\t"],
            cost: 20
        ) { bytes in
            let file = "/tmp/tartan-fuzz-\(ProcessInfo.processInfo.processIdentifier).yaml"
            try Data(bytes).write(to: URL(filePath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            guard let reader = try? await OptionReader(given: [:], environment: [:], configFile: file) else { return }
            _ = try? DaemonConfiguration(reader, hostName: "h")
        },
    ]
}
