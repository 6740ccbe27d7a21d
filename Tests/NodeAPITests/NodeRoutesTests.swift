// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import HTTPTypes
import HummingbirdTesting
import IPAddressing
import Leases
import NodeAgent
import TestKit
import Testing

@testable import NodeAPI

@Suite struct NodeRoutesTests {
    @Test func `a node that starts says what it waits for`() async throws {
        let scene = try APIScene(isComplete: false)
        scene.status.update { $0.publicIP = LeaseFixtures.publicIP(1) }
        let node: NodeDocument = try await scene.document("/v1/node")
        #expect(node.name == "n1")
        #expect(node.version == "1.2.3")
        #expect(node.publicIP == "192.168.0.1")
        #expect(node.phase == .starting)
        #expect(node.lease == nil)
        #expect(node.backend == BackendDocument(type: "vxlan", vni: 1))
        #expect(!node.ready)
        #expect(node.problems.map(\.check) == ["etcd", "lease", "dataplane", "subnet-file"])
        let text = try await scene.get("/v1/node").text
        for field in ["lease", "deadline", "device", "mtu"] { #expect(text.contains("\"\(field)\":null")) }
    }

    @Test func `a node that holds its lease is ready`() async throws {
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        let scene = try APIScene(leases: [lease])
        scene.hold(lease)
        let node: NodeDocument = try await scene.document("/v1/node")
        #expect(node.ready)
        #expect(node.phase == .leased)
        #expect(node.lease?.subnet == "10.244.1.0/24")
        #expect(node.lease?.local == true)
        #expect(node.deadline != nil)
        #expect(node.device == "tartan.1")
        #expect(node.mtu == 1450)
        #expect(node.backend?.vtepMAC == "02:00:00:00:00:01")
        #expect(node.problems.isEmpty)
    }

    @Test func `a deadline that has passed is a fenced node`() async throws {
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        let scene = try APIScene(leases: [lease])
        scene.hold(lease)
        scene.status.update { $0.deadline = MonotonicTime(sinceStart: .seconds(-1)) }
        let node: NodeDocument = try await scene.document("/v1/node")
        #expect(node.phase == .fenced)
        #expect(!node.ready)
    }

    @Test func `the network's numbers add up`() async throws {
        let odd = try LeaseFixtures.lease("10.244.8.0/22", node: 9)
        let reserved = Lease(
            key: SubnetKey(try IPv4Prefix(parsing: "10.244.20.0/24")),
            announcement: LeaseFixtures.announcement(node: 8),
            kind: .reservation, createRevision: Revision(1), modRevision: Revision(1))
        let outside = try LeaseFixtures.lease("10.9.0.0/24", node: 7)
        let nested = try LeaseFixtures.lease("10.244.9.0/24", node: 6)
        let scene = try APIScene(leases: APIScene.leases(3) + [odd, reserved, outside, nested])
        let unreadable = UnreadableLease(
            name: "10.244.30.0-24", key: SubnetKey(try IPv4Prefix(parsing: "10.244.30.0/24")), reason: "not JSON",
            modRevision: Revision(16))
        scene.change([.unreadable(unreadable)], revision: 16)
        let network: NetworkDocument = try await scene.document("/v1/network")
        #expect(network.revision == "16")
        // 1, 2, 3, 8 to 11, and the one that can't be read.
        #expect(network.used == 8)
        #expect(network.reserved == 1)
        #expect(network.used + network.reserved + network.free == network.range?.size)
        #expect(network.config?.network == "10.244.0.0/16")
        #expect(network.config?.backend.type == "vxlan")
        #expect(network.range?.subnetLength == 24)
    }

    @Test func `a network without a usable config says why`() async throws {
        let scene = try APIScene(
            config: .invalid(NetworkConfigError(field: "Network", reason: "'x' is not an IPv4 prefix")))
        let network: NetworkDocument = try await scene.document("/v1/network")
        #expect(network.config == nil)
        #expect(try #require(network.problem).contains("at /coreos.com/network/config"))
        #expect(try #require(network.problem).contains("Network 'x'"))
    }

    @Test func `a config that went bad is told, and the one before stays in force`() async throws {
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        let scene = try APIScene(leases: [lease])
        scene.hold(lease)
        scene.status.update { $0.configProblem = "the network config is bad" }
        let network: NetworkDocument = try await scene.document("/v1/network")
        #expect(network.config != nil)
        #expect(network.problem == "the network config is bad")
        let node: NodeDocument = try await scene.document("/v1/node")
        #expect(node.ready)
        #expect(node.problems.map(\.check) == ["network-config"])
        #expect(try await scene.get("/readyz").status == .ok)
    }

    @Test func `a file that can't be written is the subnet file's problem`() async throws {
        let lease = try LeaseFixtures.lease("10.244.1.0/24", node: 1)
        let scene = try APIScene(leases: [lease])
        scene.hold(lease)
        scene.status.update { $0.subnetFileProblem = "/run/x can't be written" }
        let node: NodeDocument = try await scene.document("/v1/node")
        #expect(node.problems == [CheckProblemDocument(check: "subnet-file", problem: "/run/x can't be written")])
    }

    @Test func `what is in the way on the host is told`() async throws {
        let scene = try APIScene()
        let finding = HostFinding(.mtu, .warning, what: "a", why: "b", remedy: "c")
        scene.status.update { $0.findings = [finding] }
        let dataplane: DataplaneDocument = try await scene.document("/v1/dataplane")
        #expect(
            dataplane.findings == [.init(check: "mtu", severity: "warning", what: "a", why: "b", remedy: "c")])
    }

    @Test func `the dataplane is told with its faults`() async throws {
        let leases = try APIScene.leases(2)
        let scene = try APIScene(leases: leases)
        scene.status.update {
            $0.dataplane.wanted = 8
            $0.dataplane.present = 7
            $0.dataplane.problem = nil
            $0.dataplane.refused = ["route 10.244.2.0/24: ENETUNREACH"]
            $0.dataplane.refusedCount = 1
            $0.dataplane.repairs.routes = 2
            $0.dataplane.repairs.device = 1
            $0.dataplane.lastAudit = MonotonicTime(sinceStart: .zero)
            $0.faults[leases[0].key] = "its VNI is 2, this network's is 1"
        }
        let dataplane: DataplaneDocument = try await scene.document("/v1/dataplane")
        #expect(dataplane.wanted == 8)
        #expect(dataplane.present == 7)
        #expect(dataplane.refusedCount == 1)
        #expect(dataplane.repairs == 3)
        #expect(dataplane.lastAudit?.hasSuffix("Z") == true)
        #expect(
            dataplane.faults == [
                .init(subnet: "10.244.2.0/24", node: "n2", reason: "its VNI is 2, this network's is 1")
            ])
    }

    @Test func `each peer is told with what should be in the kernel, what is, and the difference`() async throws {
        let leases = try APIScene.leases(4)
        let scene = try APIScene(leases: leases)
        let own = try #require(leases.first { $0.announcement.node?.name == "n1" })
        let gone = try #require(leases.first { $0.announcement.node?.name == "n3" })
        let faulty = try #require(leases.first { $0.announcement.node?.name == "n4" })
        let local = LocalNode(
            node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1), key: own.key, backend: .vxlan(VXLANConfig()),
            usesNextHops: true)
        let route = Route<IPv4Address>(destination: gone.subnet, path: .nextHop(NextHopID(183_763_712)))
        scene.status.update {
            $0.lease = own
            $0.dataplane.local = local
            $0.dataplane.pendingCount = 1
            $0.dataplane.pending = [
                PendingEntry(
                    key: "\(EntryKey<IPv4Address>.route(gone.subnet))", wanted: "\(route)", present: nil,
                    commands: ["ip route add 10.244.3.0/24 nhid 183763712 protocol 116"])
            ]
            $0.faults[faulty.key] = "its VNI is 2, this network's is 1"
        }
        let dataplane: DataplaneDocument = try await scene.document("/v1/dataplane")
        #expect(dataplane.peers.map(\.subnet) == ["10.244.2.0/24", "10.244.3.0/24", "10.244.4.0/24"])
        #expect(dataplane.peers.map(\.state) == [.present, .differs, .fault])
        #expect(dataplane.peers[0].entries.count == 4)
        #expect(dataplane.peers[0].entries.allSatisfy { $0.wanted == $0.present })
        #expect(dataplane.peers[1].entries.map { $0.present == nil } == [true, false, false, false])
        #expect(dataplane.peers[2].fault == "its VNI is 2, this network's is 1")
        #expect(dataplane.pending == 1)
        #expect(dataplane.plan == ["ip route add 10.244.3.0/24 nhid 183763712 protocol 116"])

        // More differ than are listed: of the others nothing is claimed.
        scene.status.update { $0.dataplane.pendingCount = 2 }
        let short: DataplaneDocument = try await scene.document("/v1/dataplane")
        #expect(short.peers.map(\.state) == [.unknown, .unknown, .fault])
        scene.status.update { $0.dataplane.pendingCount = 1 }

        let differing: DataplaneDocument = try await scene.document("/v1/dataplane?peers=differing")
        #expect(differing.peers.map(\.subnet) == ["10.244.3.0/24", "10.244.4.0/24"])
        let one: DataplaneDocument = try await scene.document("/v1/dataplane?contains=10.244.2.9")
        #expect(one.peers.map(\.node) == ["n2"])
        let none: DataplaneDocument = try await scene.document("/v1/dataplane?peers=none")
        #expect(none.peers.isEmpty)
        #expect(try await scene.get("/v1/dataplane?peers=some").problem().parameter == "peers")
    }

    @Test func `a peer's address is told with the way there`() async throws {
        let leases = try APIScene.leases(2)
        let scene = try APIScene(leases: leases)
        scene.hold(leases[1])
        let lookup: LookupDocument = try await scene.document("/v1/lookup?ip=10.244.2.7")
        #expect(lookup.inNetwork)
        #expect(lookup.lease?.node == "n2")
        #expect(lookup.problem == nil)
        #expect(
            lookup.path
                == PathDocument(
                    kind: .vxlan, route: "10.244.2.0/24", via: "10.244.2.0", device: "tartan.1",
                    vtepMAC: "02:00:00:00:00:02", underlay: "192.168.0.2"))
        let own: LookupDocument = try await scene.document("/v1/lookup?ip=10.244.1.7")
        #expect(own.path?.kind == .local)
        let nobody: LookupDocument = try await scene.document("/v1/lookup?ip=10.244.3.7")
        #expect(nobody.lease == nil)
        #expect(nobody.problem == "no lease has 10.244.3.7")
        let outside: LookupDocument = try await scene.document("/v1/lookup?ip=192.0.2.1")
        #expect(!outside.inNetwork)
        scene.status.update { $0.faults[leases[0].key] = "its VNI is 2, this network's is 1" }
        let faulty: LookupDocument = try await scene.document("/v1/lookup?ip=10.244.2.7")
        #expect(try #require(faulty.problem).contains("VNI"))
    }

    @Test func `a lookup names the step that is broken`() async throws {
        let leases = try APIScene.leases(2)
        let scene = try APIScene(leases: leases)
        let own = try #require(leases.first { $0.announcement.node?.name == "n1" })
        scene.hold(own)
        scene.status.update {
            $0.dataplane.local = LocalNode(
                node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1), key: own.key, backend: .vxlan(VXLANConfig()),
                usesNextHops: true)
        }
        let sound: LookupDocument = try await scene.document("/v1/lookup?ip=10.244.2.7")
        #expect(sound.steps.map(\.step) == [.lease, .route, .nextHop, .neighbor, .fdb, .underlay])
        #expect(sound.steps.allSatisfy { $0.problem == nil } && sound.problem == nil)
        for (place, step) in sound.steps.enumerated() where [.route, .nextHop, .neighbor, .fdb].contains(step.step) {
            let kind = step.wanted.split(separator: " ")
            let key = kind[0] == "nexthop" ? "nexthop id \(kind[2])" : "\(kind[0]) \(kind[1])"
            for present in [nil, "something else"] {
                scene.status.update {
                    $0.dataplane.pending = [PendingEntry(key: key, wanted: step.wanted, present: present, commands: [])]
                    $0.dataplane.pendingCount = 1
                }
                let broken: LookupDocument = try await scene.document("/v1/lookup?ip=10.244.2.7")
                #expect(broken.steps.compactMap(\.problem).count == 1)
                #expect(broken.steps[place].present == present)
                let problem = try #require(broken.steps[place].problem)
                #expect(problem.contains(step.wanted) && problem.contains(present ?? "has no"))
                #expect(broken.problem == problem)
            }
        }
        scene.status.update {
            $0.dataplane.pending = []
            $0.findings = [
                HostFinding(
                    .forwarding, .fault, what: "ip_forward is 0", why: "pods' packets end here", remedy: "sysctl x")
            ]
        }
        let host: LookupDocument = try await scene.document("/v1/lookup?ip=10.244.2.7")
        #expect(host.steps[1].step == .host)
        #expect(host.problem?.contains("ip_forward is 0") == true)
    }

    @Test(arguments: ["/v1/lookup", "/v1/lookup?ip=x", "/v1/lookup?ip=10.0.0.0/8"])
    func `a lookup needs an address`(path: String) async throws {
        let scene = try APIScene()
        let response = try await scene.get(path)
        #expect(response.status == .badRequest)
        #expect(try response.problem().parameter == "ip")
    }
}

extension APIScene {
    /// Everything is as it should be, with that lease.
    func hold(_ lease: Lease) {
        status.update { [clock = status.clock] in
            $0.lease = lease
            $0.lastPhase = .leased
            $0.deadline = clock.now + .seconds(3600)
            $0.dataplane.problem = nil
            $0.dataplane.device = "tartan.1"
            $0.dataplane.mtu = 1450
            $0.isSubnetFileWritten = true
        }
    }
}
