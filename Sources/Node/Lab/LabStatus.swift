// SPDX-License-Identifier: Apache-2.0

import APISchema
import NodeClient

/// How a lab is right now: what `tartan lab status` shows.
package struct LabStatus: Codable, Hashable, Sendable {
    package enum State: String, Codable, Hashable, Sendable {
        /// Everything is there and runs.
        case up
        /// Something is missing or ended.
        case broken
        /// There is nothing of it.
        case down
    }

    package struct Node: Codable, Hashable, Sendable {
        package var name: String
        package var namespace: String
        package var address: String
        /// As the daemon says now.
        package var subnet: String?
        package var pid: Int32?
        package var isRunning: Bool
        /// `starting`, `leased`, ...; `nil` where the daemon does not answer.
        package var phase: String?
        package var isReady: Bool
        package var server: String
    }

    package struct Pod: Codable, Hashable, Sendable {
        package var name: String
        package var namespace: String
        package var node: String
        package var address: String
        package var exists: Bool
    }

    package var name: String
    package var state: State
    package var keeper: Int32?
    package var etcd: String?
    package var nodes: [Node] = []
    package var pods: [Pod] = []

    /// Looks.
    package init(of lab: LabName) async {
        name = "\(lab)"
        let folder = LabFolder(lab)
        let sweep = LabSweep(lab)
        keeper = folder.keeper
        guard sweep.findsAnything else {
            state = .down
            return
        }
        state = .broken
        guard let description = folder.description else { return }
        etcd = description.etcd.endpoint
        let places = Set(sweep.places.map(\.description))
        for node in description.nodes { nodes.append(await Node(node, namespaceExists: places.contains(node.name))) }
        pods = description.pods.map { pod in
            Pod(
                name: pod.name, namespace: pod.namespace, node: pod.node, address: pod.address,
                exists: places.contains(pod.name))
        }
        let isWhole =
            keeper != nil && ProcessTable.isRunning(description.etcd.pid, in: description.etcd.namespace)
            && nodes.allSatisfy { $0.isRunning && $0.isReady } && pods.allSatisfy(\.exists)
        if isWhole { state = .up }
    }
}

extension LabStatus.Node {
    init(_ node: LabDescription.Node, namespaceExists: Bool) async {
        let isRunning = namespaceExists && ProcessTable.isRunning(node.pid, in: node.namespace)
        var document: (phase: String, isReady: Bool, subnet: String?)?
        if isRunning, let server = try? ServerAddress(parsing: node.server),
            let answer = try? await NodeClient(server: server).node()
        {
            document = (answer.phase.rawValue, answer.ready, answer.lease?.subnet)
        }
        self.init(
            name: node.name, namespace: node.namespace, address: node.address,
            subnet: document?.subnet ?? node.subnet, pid: isRunning ? node.pid : nil, isRunning: isRunning,
            phase: document?.phase, isReady: document?.isReady ?? false, server: node.server)
    }
}
