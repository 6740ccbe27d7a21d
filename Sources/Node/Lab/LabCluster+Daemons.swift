// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import IPAddressing
import Netlink
package import NodeClient

extension LabCluster {
    /// Starts a node's daemon, with the same options as before if there was one.
    package func startDaemon(_ name: String) async throws {
        let index = try index(ofNode: name)
        let node = description.nodes[index]
        guard daemons[name]?.isRunning != true else { return }
        var command = settings.tools.launcher(into: node.namespace)
        command += [
            settings.tools.tartand, "--node-name", name, "--etcd-endpoints", description.etcd.endpoint,
            "--state-dir", node.stateDir, "--subnet-file", node.subnetFile, "--cni-conflist", node.conflist,
            "--api-listen", node.server,
        ]
        if let leaseTTL = settings.leaseTTL { command += ["--lease-ttl", leaseTTL] }
        let daemon = try await ChildProcess.start(command + settings.daemonOptions, log: node.log)
        daemons[name] = daemon
        description.nodes[index].pid = daemon.processID
        try save()
    }

    /// SIGTERM, and returns when it has ended; its exit status.
    @discardableResult
    package func stopDaemon(_ name: String, grace: Duration = .seconds(5)) async throws -> Int32 {
        let index = try index(ofNode: name)
        guard let daemon = daemons.removeValue(forKey: name) else { return 0 }
        await daemon.stop(grace: grace)
        description.nodes[index].pid = nil
        try save()
        return await daemon.ended()
    }

    /// SIGKILL, and returns when it has ended.
    package func killDaemon(_ name: String) async throws {
        try signalDaemon(name, SIGKILL)
        try await stopDaemon(name)
    }

    /// Any signal, such as SIGSTOP and SIGCONT.
    package func signalDaemon(_ name: String, _ signal: Int32) throws {
        _ = try index(ofNode: name)
        daemons[name]?.signal(signal)
    }

    /// How a daemon that ended by itself did so.
    package func daemonEnded(_ name: String) async throws -> Int32 {
        _ = try index(ofNode: name)
        return await daemons[name]?.ended() ?? 0
    }

    /// Pulls a node's cable out of the switch, or puts it back.
    package func setConnected(_ name: String, _ isConnected: Bool) async throws {
        _ = try index(ofNode: name)
        let door = try RouteSocket(in: try NetworkNamespace(name: description.etcd.namespace))
        try await door.change(LinkMessage(name: name, isUp: isConnected))
    }

    /// A client of the node's daemon.
    package func client(of name: String) throws -> NodeClient {
        NodeClient(server: try ServerAddress(parsing: description.nodes[try index(ofNode: name)].server))
    }

    /// What the node's daemon said so far.
    package func log(of name: String) throws -> String {
        let node = description.nodes[try index(ofNode: name)]
        return (try? String(contentsOfFile: node.log, encoding: .utf8)) ?? ""
    }

    func awaitSubnet(ofNode number: Int) async throws {
        let name = description.nodes[number - 1].name
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let node = description.nodes[number - 1]
            if let published = published(by: node), FileManager.default.fileExists(atPath: node.conflist) {
                description.nodes[number - 1].subnet = published.subnet
                description.nodes[number - 1].ipv6Subnet = published.ipv6.map { "\($0.subnet)" }
                description.nodes[number - 1].gateway = published.gateway
                description.nodes[number - 1].mtu = published.mtu
                return try save()
            }
            guard let daemon = daemons[name], daemon.isRunning else {
                let status = await daemons[name]?.ended() ?? 0
                throw LabFault(ending: status, "the daemon of \(name) ended: \(lastWords(of: name))")
            }
            guard .now < deadline else {
                throw LabFault(.failed, "the daemon of \(name) has no subnet after 30 s: \(lastWords(of: name))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Returns when each node's kernel has a route to every other's subnet: the last of what a daemon writes there.
    func awaitRoutes() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        for node in description.nodes {
            let others = Set(
                description.nodes.filter { $0.name != node.name }.flatMap { [$0.subnet, $0.ipv6Subnet] }.compactMap(
                    \.self))
            let door = try RouteSocket(in: try NetworkNamespace(name: node.namespace))
            while true {
                var routes = try await door.routes(.filter(table: RouteMessage.mainTable))
                if settings.families.hasIPv6 { routes += try await door.routes(.filter(ipv6: true)) }
                let missing = others.subtracting(
                    routes.map { "\($0.destination.map { "\($0)" } ?? "-")/\($0.prefixLength)" })
                if missing.isEmpty { break }
                guard .now < deadline else {
                    throw LabFault(
                        .failed,
                        "\(node.name) has no route to \(missing.sorted()[0]) after 30 s: \(lastWords(of: node.name))")
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    func published(by node: LabDescription.Node) -> PublishedSubnet? {
        (try? String(contentsOfFile: node.subnetFile, encoding: .utf8)).flatMap(PublishedSubnet.init)
    }

    private func lastWords(of name: String) -> String {
        LabAnswer.lastWords(of: (try? log(of: name)) ?? "")
    }

    private func index(ofNode name: String) throws(LabFault) -> Int {
        guard let index = description.nodes.firstIndex(where: { $0.name == name }) else {
            throw LabFault(.absent, "the lab '\(settings.name)' has no node '\(name)'")
        }
        return index
    }
}
