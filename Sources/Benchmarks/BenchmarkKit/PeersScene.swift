// SPDX-License-Identifier: Apache-2.0

package import Etcd
import Glibc
package import IPAddressing
package import Lab
import Logging
package import Netlink

/// A network namespace with an underlay and an etcd that holds the peers' leases.
package struct PeersScene: Sendable {
    package let namespace: String
    package let directory: TemporaryDirectory
    package let etcd: EtcdProcess
    package let peers: PeerLeases

    /// Where etcd listens, and the node's address on the underlay.
    package static let address = IPv4Address(172, 31, 255, 1)
    package static let device = "tartan.1"

    package static func make(peers: Int) async throws -> PeersScene {
        guard let binaries = EtcdBinaries.installed else {
            throw BenchmarkError("there is no etcd; install etcd-server")
        }
        let namespace = "tartan-bench-\(getpid())"
        let directory = try TemporaryDirectory("bench")
        var settings = EtcdSettings(address: address.description, binaries: binaries)
        settings.launcher = ["ip", "netns", "exec", namespace]
        let scene = PeersScene(
            namespace: namespace, directory: directory,
            etcd: EtcdProcess(settings: settings, directory: directory.path), peers: PeerLeases(count: peers))
        do {
            try NetworkNamespace.create(name: namespace)
            try await scene.makeUnderlay()
            try await scene.etcd.start()
            try await scene.fill()
        } catch {
            await scene.tearDown()
            throw error
        }
        return scene
    }

    package func tearDown() async {
        await etcd.stop()
        try? NetworkNamespace.delete(name: namespace)
        directory.remove()
    }

    package func connect() throws -> RouteSocket { try RouteSocket(in: try NetworkNamespace(name: namespace)) }

    /// Takes the device away, and every entry with it.
    package func clearKernel() async throws { try await connect().removeLink(named: Self.device) }

    private func makeUnderlay() async throws {
        let socket = try connect()
        let link = try await socket.addVETH("eth0", peer: VETHPeer(name: "wire0"))
        try await socket.setUp(link.index)
        if let wire = try await socket.link(named: "wire0") { try await socket.setUp(wire.index) }
        try await socket.addAddress(.v4(Self.address), prefixLength: 16, to: link.index)
        try await socket.addDefaultRoute(via: .v4(IPv4Address(172, 31, 255, 254)), device: link.index)
    }

    /// A client of the scene's etcd: its thread, and so its sockets, are in the namespace of the thread that made it.
    package func client() throws -> EtcdClient {
        let configuration = try EtcdConfiguration(endpoints: [etcd.endpoint])
        return try NetworkNamespace(name: namespace).run { () throws(NetlinkError) in
            EtcdClient(configuration: configuration, logger: Logger(label: "bench"))
        }
    }

    private func fill() async throws {
        let client = try client()
        try await peers.put(with: client)
        await client.shutdown()
    }
}
