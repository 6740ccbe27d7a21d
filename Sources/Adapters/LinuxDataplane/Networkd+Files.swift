// SPDX-License-Identifier: Apache-2.0

import Dataplane

extension HostFacts.Networkd {
    /// Where settings are looked for, the most important first.
    private static let folders = ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"]

    /// `nil` where systemd-networkd does not run, which is when it keeps its state here.
    init?(_ files: HostFiles) {
        guard files.exists("/run/systemd/netif/state") else { return nil }
        self.init(texts: Self.texts(files))
    }

    /// What the texts say, the later over the earlier: both are managed unless they say no (networkd.conf(5)).
    init(texts: [String]) {
        self.init()
        for text in texts { take(text) }
    }

    /// The first main file, then the drop-ins in the order of their names wherever they lie; one name hides the same in
    /// a less important folder, also as an empty file or a link to /dev/null.
    private static func texts(_ files: HostFiles) -> [String] {
        var texts = Array(folders.compactMap { files.text("\($0)/networkd.conf") }.prefix(1))
        var dropIns: [String: String] = [:]
        for folder in folders.map({ "\($0)/networkd.conf.d" }) {
            for name in files.names(in: folder) where name.hasSuffix(".conf") && dropIns[name] == nil {
                dropIns[name] = "\(folder)/\(name)"
            }
        }
        texts += dropIns.sorted { $0.key < $1.key }.compactMap { files.text($0.value) }
        return texts
    }

    private mutating func take(_ text: String) {
        var isNetwork = false
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.filter { !$0.isWhitespace }
            if line.hasPrefix("[") { isNetwork = line == "[Network]" }
            let parts = line.split(separator: "=", maxSplits: 1)
            guard isNetwork, parts.count == 2, let value = Self.boolean(parts[1]) else { continue }
            switch parts[0] {
            case "ManageForeignRoutes": managesForeignRoutes = value
            case "ManageForeignNextHops": managesForeignNextHops = value
            default: break
            }
        }
    }

    /// As systemd reads it (systemd.syntax(7)); what is neither changes nothing.
    private static func boolean(_ text: Substring) -> Bool? {
        switch text.lowercased() {
        case "1", "yes", "y", "true", "t", "on": true
        case "0", "no", "n", "false", "f", "off": false
        default: nil
        }
    }
}
