// SPDX-License-Identifier: Apache-2.0

import Etcd
import EtcdStore
import FoundationEssentials
import Glibc
import IPAddressing
import Lab
import Leases
import Logging
import SystemPackage

/// An etcd full of leases, and a daemon that has read them.
struct Scene {
    let program: String
    let etcd: EtcdCluster
    let client: EtcdClient
    let daemon: ChildProcess
    /// Where the REST endpoint listens: host and port.
    let address: String

    static let keys = KeySpace(prefix: "/coreos.com/network")

    /// The one that was named, or the one that lies beside this program.
    static func program(_ named: String?) throws -> String {
        if let named { return named }
        var here = FilePath(CommandLine.arguments[0])
        here.removeLastComponent()
        let beside = here.appending("tartand").string
        guard unsafe access(beside, X_OK) == 0 else {
            throw BenchmarkError("there is no \(beside); build it with 'swift build -c release --product tartand'")
        }
        return beside
    }

    static func make(etcd: EtcdCluster, leases: Int, program: String) async throws -> Scene {
        let configuration = try EtcdConfiguration(endpoints: [etcd.only.endpoint])
        let client = EtcdClient(configuration: configuration, logger: Logger(label: "bench"))
        try await fill(client, leases)
        let folder = etcd.directory.path
        let log = "\(folder)/tartand.log"
        let daemon = try await ChildProcess.start(
            [
                program, "--etcd-endpoints", etcd.only.endpoint, "--dataplane", "none", "--public-ip", "192.0.2.1",
                "--node-name", "measured", "--state-dir", "\(folder)/state", "--subnet-file", "\(folder)/subnet.env",
                "--api-listen", "127.0.0.1:0", "--log-level", "info", "--on-shutdown", "release",
            ], log: log)
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            if unsafe access("\(folder)/subnet.env", R_OK) == 0, let address = address(in: text) {
                return Scene(program: program, etcd: etcd, client: client, daemon: daemon, address: address)
            }
            guard daemon.isRunning, .now < deadline else {
                await daemon.stop()
                throw BenchmarkError("tartand did not start: \(text.suffix(500))")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func address(in log: String) -> String? {
        guard let line = log.split(separator: "\n").first(where: { $0.contains("REST endpoint listens") }),
            let start = line.firstRange(of: "127.0.0.1:")
        else { return nil }
        return "127.0.0.1:" + line[start.upperBound...].prefix { $0.isNumber }
    }

    func tearDown() async {
        await daemon.stop()
        await client.shutdown()
    }

    static func key(_ number: Int) -> SubnetKey {
        let address = IPv4Address(bits: 0x0A00_0000 + UInt32(number) << 8)
        return SubnetKey(IPv4Prefix(address, length: 24) ?? IPv4Prefix(host: address))
    }

    static func value(_ number: Int) -> [UInt8] {
        LeaseAnnouncement(
            node: NodeID("node-\(number).cluster.example"), owner: .tartan,
            publicIP: IPv4Address(bits: 0xAC10_0000 + UInt32(number)),
            backend: .vxlan(
                ipv4: VXLANAnnouncement(vni: 1, mac: MACAddress(locallyAdministered: UInt64(number))), ipv6: nil)
        ).json
    }

    /// Config and leases, 100 in a transaction, each hundred on a grant of its own.
    private static func fill(_ client: EtcdClient, _ count: Int) async throws {
        try await client.put(keys.config, Array(#"{"Network":"10.0.0.0/8","Backend":{"Type":"vxlan"}}"#.utf8))
        for start in stride(from: 1, through: count, by: 100) {
            let grant = try await client.grant(ttl: 86_400)
            let puts = (start...min(count, start + 99)).map { number in
                Transaction.Operation.put(key: keys.key(of: key(number)), value: value(number), lease: grant.id)
            }
            _ = try await client.transact(Transaction(when: [], then: puts))
        }
    }
}
