// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Netlink
import NodeClient

/// A cluster on this one machine: a switch with etcd, nodes with a daemon each, pods. The host's own network has no
/// part in it.
///
///     tartan-LAB-switch       tartan-LAB-node1                     tartan-LAB-pod1
///       br0  172.20.0.1  ------ eth0 172.20.0.11
///       etcd :2379              tartand, tartan.1
///                               cni0 10.244.7.1  ------------------ eth0 10.244.7.2
///
/// Programs that it started end with this process, whatever ends it; namespaces stay until ``down()``.
package actor LabCluster {
    package nonisolated let settings: LabSettings
    /// For faults of etcd's own: killed, halted, set back.
    package nonisolated let members: [EtcdProcess]
    nonisolated let folder: LabFolder
    private let progress: @Sendable (String) -> Void
    package internal(set) var description: LabDescription
    var daemons: [String: ChildProcess] = [:]
    /// Also those that are only half made.
    var pods: [LabPod] = []
    private var isTakenDown = false

    private init(_ settings: LabSettings, progress: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.progress = progress
        folder = LabFolder(settings.name)
        let namespace = settings.name.namespace(of: .switch)
        let etcds = Self.etcds(of: settings)
        members = etcds.map { [folder] in EtcdProcess(settings: $0, members: etcds, directory: folder.path) }
        description = LabDescription(
            name: "\(settings.name)", folder: folder.path,
            network: "\(settings.families.hasIPv4 ? "\(settings.network)" : "\(LabSettings.ipv6Network)")",
            underlay: "\(settings.families.hasIPv4 ? "\(settings.underlay)" : "\(LabSettings.ipv6Underlay)")",
            keeper: ProcessTable.ownNumber,
            etcd: LabDescription.Etcd(
                namespace: namespace, endpoint: etcds.map(\.clientURL).joined(separator: ","),
                prefix: "/coreos.com/network"))
    }

    private static func etcds(of settings: LabSettings) -> [EtcdSettings] {
        (1...settings.etcdMembers).map { number in
            let isAlone = settings.etcdMembers == 1
            let place: LabPlace = isAlone ? .switch : .etcd(number)
            var member = EtcdSettings(
                name: isAlone ? "etcd" : "\(place)", address: settings.host(ofMember: number),
                binaries: settings.tools.etcd)
            member.launcher = settings.tools.launcher(into: settings.name.namespace(of: place))
            return member
        }
    }

    /// The etcd of a lab that has one, the first where there are several.
    package nonisolated var etcd: EtcdProcess { members[0] }

    /// Builds a lab; on a failure, and when cancelled, takes down what it has built so far.
    package static func up(
        _ settings: LabSettings, progress: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> LabCluster {
        try LabPrivilege.check()
        if settings.pods > 0, !settings.isDetached { _ = try settings.tools.requirePlugin() }
        let sweep = LabSweep(settings.name)
        let folder = LabFolder(settings.name)
        guard sweep.places.isEmpty, try folder.claim() else { throw alreadyThere(settings.name) }
        let cluster = LabCluster(settings, progress: progress)
        do {
            try await cluster.build()
            return cluster
        } catch {
            progress("taking down what was made")
            await cluster.down()
            throw error
        }
    }

    private static func alreadyThere(_ name: LabName) -> LabFault {
        let folder = LabFolder(name)
        guard let keeper = folder.keeper else {
            return LabFault(
                .conflict,
                "the lab '\(name)' was left unfinished; clear it away with 'tartan lab down --name \(name)'")
        }
        let nodes = folder.description.map { ", nodes \($0.nodes.map(\.name).joined(separator: " "))" } ?? ""
        return LabFault(
            .conflict,
            "the lab '\(name)' is up (process \(keeper)\(nodes)); take it down with 'tartan lab down --name \(name)', or "
                + "give another --name")
    }

    private func build() async throws {
        progress("making the switch and starting etcd")
        try await makeSwitch()
        if members.count > 1 { for number in 1...members.count { try await makeMember(number) } }
        for member in members { try await member.launch() }
        for member in members { try await member.ready() }
        description.etcd.pid = etcd.processID
        try await initNetwork()
        try save()
        progress("starting \(settings.nodes) daemon\(settings.nodes == 1 ? "" : "s")")
        for number in 1...settings.nodes { try await makeNode(number) }
        for number in 1...settings.nodes { try await awaitSubnet(ofNode: number) }
        guard !isDetached else { return }
        if settings.pods > 0 { progress("making \(settings.nodes * settings.pods) pods") }
        try await makePods(ofNodes: 1...settings.nodes)
        progress("waiting until every node knows the way to every other")
        try await awaitRoutes()
    }

    /// Whether the daemons leave the kernel alone, so that there is nothing to build on.
    var isDetached: Bool { settings.isDetached }

    func save() throws { try folder.write(description) }

    private func initNetwork() async throws {
        let answer = try await LabAnswer.of(
            settings.tools.launcher(into: description.etcd.namespace) + [
                settings.tools.tartan, "network", "init", "--etcd-endpoints", description.etcd.endpoint,
            ] + (settings.families.hasIPv4 ? ["--network", "\(settings.network)"] : ["--enable-ipv4", "false"])
                + (settings.families.hasIPv6 ? ["--ipv6-network", "\(LabSettings.ipv6Network)"] : []))
        guard answer.status == 0 else {
            throw LabFault(ending: answer.status, "the network can't be set up: \(answer.lastWords)")
        }
    }

    /// Adds a node with its pods to a lab that is up.
    package func addNode() async throws -> LabDescription.Node {
        let number = description.nodes.count + 1
        try await makeNode(number)
        try await awaitSubnet(ofNode: number)
        if !isDetached {
            try await makePods(ofNodes: number...number)
            try await awaitRoutes()
        }
        return description.nodes[number - 1]
    }

    /// Ends every process of the lab and removes everything of it. Also for a lab that is only half there, and as often
    /// as one likes; a caller that was cancelled gets it done all the same.
    package func down() async {
        guard !isTakenDown else { return }
        isTakenDown = true
        let (daemons, pods, progress) = (daemons, pods, progress)
        (self.daemons, self.pods) = ([:], [])
        let (members, sweep) = (members, LabSweep(settings.name))
        let work = Task { () -> (any Error)? in
            await withTaskGroup { group in
                group.addTask { await Self.deletePods(pods, progress: progress) }
                for daemon in daemons.values { group.addTask { await daemon.stop(grace: .seconds(3)) } }
            }
            for member in members { await member.kill() }
            do {
                try await sweep.run()
                return nil
            } catch {
                return error
            }
        }
        if let error = await work.value { progress("\(error)") }
    }
}
