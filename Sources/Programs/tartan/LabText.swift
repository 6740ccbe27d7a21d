// SPDX-License-Identifier: Apache-2.0

import Lab

/// A lab as tables for people.
enum LabText {
    static func description(_ lab: LabDescription, colour: Bool) -> String {
        var table = TextTable(["NODE", "ADDRESS", "SUBNET", "PODS"])
        for node in lab.nodes {
            let pods = lab.pods.filter { $0.node == node.name }.map { pod in
                let ipv6 = pod.ipv6Address.flatMap { $0 == pod.address ? nil : " \($0)" } ?? ""
                return "\(pod.name) \(pod.address)\(ipv6)"
            }
            table.append([
                TextTable.Cell(node.name), TextTable.Cell(node.address), TextTable.Cell(node.subnet, style: .cyan),
                TextTable.Cell(pods.isEmpty ? "-" : pods.joined(separator: ", ")),
            ])
        }
        var text = table.text(colour: colour)
        let option = lab.name == "lab" ? "" : " --name \(lab.name)"
        text += "\nTry:\n"
        if let first = lab.pods.first, let last = lab.pods.last(where: { $0.node != first.node }) {
            let ipv6 = last.ipv6Address.flatMap { $0 == last.address ? nil : $0 }
            for address in [last.address, ipv6].compactMap(\.self) {
                text += "  tartan lab exec\(option) \(first.name) -- ping -c 3 \(address)\n"
            }
        }
        if let node = lab.nodes.first { text += "  tartan leases --server \(node.server)\n" }
        return text + "  tartan lab down\(option)\n"
    }

    static func status(_ lab: LabStatus, colour: Bool) -> String {
        let style: TextStyle =
            switch lab.state {
            case .up: .green
            case .broken: .red
            case .down: .dim
            }
        let state = colour ? style(lab.state.rawValue) : lab.state.rawValue
        let keeper = lab.keeper.map { " (process \($0))" } ?? ""
        var text = "The lab '\(lab.name)' is \(state)\(keeper).\n"
        guard !lab.nodes.isEmpty else { return text }
        var nodes = TextTable(["NODE", "ADDRESS", "SUBNET", "DAEMON", "PHASE", "READY"])
        for node in lab.nodes {
            nodes.append([
                TextTable.Cell(node.name), TextTable.Cell(node.address), TextTable.Cell(node.subnet, style: .cyan),
                TextTable.Cell(
                    node.pid.map { "running (\($0))" } ?? "not running", style: node.isRunning ? nil : .red),
                TextTable.Cell(node.phase),
                TextTable.Cell(node.isReady ? "yes" : "no", style: node.isReady ? .green : .red),
            ])
        }
        text += "\n" + nodes.text(colour: colour)
        guard !lab.pods.isEmpty else { return text }
        var pods = TextTable(["POD", "NODE", "ADDRESS", "STATE"])
        for pod in lab.pods {
            pods.append([
                TextTable.Cell(pod.name), TextTable.Cell(pod.node), TextTable.Cell(pod.address),
                TextTable.Cell(pod.exists ? "there" : "gone", style: pod.exists ? nil : .red),
            ])
        }
        return text + "\n" + pods.text(colour: colour)
    }
}
