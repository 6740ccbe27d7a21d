// SPDX-License-Identifier: Apache-2.0

import Etcd
import Glibc
import IPAddressing
import Lab
import Logging
import Netlink

/// A network namespace with an underlay and an etcd that holds the peers' leases.
struct Scene {
    let namespace: String
    let directory: TemporaryDirectory
    let etcd: EtcdProcess
    let peers: PeerLeases

    /// Where etcd listens, and the node's address on the underlay.
    static let address = IPv4Address(172, 31, 255, 1)
    static let device = "tartan.1"

    static func make(peers: Int) async throws -> Scene {
        guard let binaries = EtcdBinaries.installed else {
            throw BenchmarkError("there is no etcd; install etcd-server")
        }
        let namespace = "tartan-bench-\(getpid())"
        let directory = try TemporaryDirectory("bench")
        var settings = EtcdSettings(address: address.description, binaries: binaries)
        settings.launcher = ["ip", "netns", "exec", namespace]
        let scene = Scene(
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

    func tearDown() async {
        await etcd.stop()
        try? NetworkNamespace.delete(name: namespace)
        directory.remove()
    }

    func connect() throws -> RouteSocket { try RouteSocket(in: try NetworkNamespace(name: namespace)) }

    /// Takes the device away, and every entry with it.
    func clearKernel() async throws { try await connect().removeLink(named: Self.device) }

    private func makeUnderlay() async throws {
        let socket = try connect()
        let link = try await socket.addVETH("eth0", peer: VETHPeer(name: "wire0"))
        try await socket.setUp(link.index)
        if let wire = try await socket.link(named: "wire0") { try await socket.setUp(wire.index) }
        try await socket.addAddress(.v4(Self.address), prefixLength: 16, to: link.index)
        try await socket.addDefaultRoute(via: .v4(IPv4Address(172, 31, 255, 254)), device: link.index)
    }

    /// A client's thread, and so its sockets, are in the namespace of the thread that made it.
    private func fill() async throws {
        let configuration = try EtcdConfiguration(endpoints: [etcd.endpoint])
        let client = try NetworkNamespace(name: namespace).run { () throws(NetlinkError) in
            EtcdClient(configuration: configuration, logger: Logger(label: "bench"))
        }
        try await peers.put(with: client)
        await client.shutdown()
    }
}
