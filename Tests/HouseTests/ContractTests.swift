// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import IPAddressing
import Leases
import Logging
import NodeAPI
import NodeAgent
import TestKit
import Testing

/// openapi.yaml against what is built.
@Suite struct ContractTests {
    private let contract: Contract

    init() throws { contract = try Contract() }

    private static func server() -> NodeAPIServer {
        NodeAPIServer(
            status: NodeStatus(node: NodeID("n1"), clock: MonotonicClock()),
            store: InMemoryLeaseStore(config: .missing), listen: .none, version: "1", logger: Logger(label: "test"))
    }

    @Test func `the contract has each route, and each route is in the contract`() {
        let routes = Set(Self.server().routes.map { "\($0.method) \($0.path)" })
        #expect(routes == contract.operations)
        #expect(!routes.isEmpty)
    }

    @Test func `what is served as the contract is the contract`() {
        #expect(String(decoding: NodeAPIServer.contractText, as: UTF8.self) == contract.text)
    }

    @Test func `every reference leads somewhere`() {
        #expect(contract.danglingReferences.isEmpty)
    }

    @Test func `every example is one of its schema`() {
        #expect(contract.examples.count > 10)
        for example in contract.examples {
            #expect(contract.faults(of: example.value, by: example.schema) == [], "\(example.name)")
        }
    }

    @Test func `a document that breaks its schema is found out`() throws {
        let lease = try #require(contract.schemas["Lease"])
        #expect(!contract.faults(of: ["subnet": 1], by: lease).isEmpty)
        #expect(!contract.faults(of: nil, by: lease).isEmpty)
        let problem: [String: Any] = ["type": "a", "title": "b", "status": 200, "detail": "c"]
        #expect(contract.faults(of: problem, by: try #require(contract.schemas["Problem"])).count == 1)
    }

    /// One of each document, every field that can be there in one of them and every one that can be null in another.
    private static let documents: [(schema: String, document: any Encodable & Sendable)] = {
        let lease = LeaseDocument(
            subnet: "10.244.20.0/24", ipv6Subnet: nil, node: nil, publicIP: "192.168.1.10", publicIPv6: nil,
            kind: .lease, owner: nil, backend: BackendDocument(type: "vxlan"), etcdLease: nil, createRevision: "1",
            modRevision: "2", local: false)
        var whole = lease
        whole.ipv6Subnet = "fd00::/64"
        whole.node = "n1"
        whole.publicIPv6 = "fd00::1"
        whole.owner = "tartan"
        whole.backend = BackendDocument(type: "vxlan", vni: 1, vtepMAC: "02:00:00:00:00:01")
        whole.etcdLease = "1f"
        whole.expiresAt = "2026-01-01T00:00:00Z"
        whole.ttl = 3600
        whole.token = "secret"
        var config = NetworkConfigDocument(
            network: "10.244.0.0/16", subnetLength: 24, subnetMin: "10.244.1.0", subnetMax: "10.244.255.0",
            backend: .init(
                type: "vxlan", vni: 1, port: 8472, mtu: 1400, gbp: false, learning: false, directRouting: true))
        config.enableIPv6 = true
        config.ipv6Network = "fd00::/48"
        config.ipv6SubnetLength = 64
        config.ipv6SubnetMin = "fd00::"
        config.ipv6SubnetMax = "fd00::1:0:0:0:0"
        let range = SubnetRangeDocument(first: "10.244.1.0/24", last: "10.244.255.0/24", subnetLength: 24, size: 255)
        return [
            ("Lease", lease), ("Lease", whole), ("LeaseList", LeaseListDocument(revision: "1", items: [lease, whole])),
            ("LeaseList", LeaseListDocument(revision: "1", items: [], continue: "x")),
            (
                "Node",
                NodeDocument(
                    name: "n1", version: "1", publicIP: nil, phase: .starting, ready: false, lease: nil, deadline: nil,
                    backend: nil, device: nil, mtu: nil, problems: [CheckProblemDocument(check: "a", problem: "b")])
            ),
            (
                "Node",
                NodeDocument(
                    name: "n1", version: "1", publicIP: "1.2.3.4", phase: .leased, ready: true, lease: whole,
                    deadline: "2026-01-01T00:00:00Z", backend: whole.backend, device: "d", mtu: 1450, problems: [])
            ),
            (
                "Network",
                NetworkDocument(
                    revision: "1", config: nil, problem: "x", range: nil, ipv6Range: nil, used: 0, reserved: 0, free: 0)
            ),
            (
                "Network",
                NetworkDocument(
                    revision: "1", config: config, problem: nil, range: range, ipv6Range: range, used: 1, reserved: 1,
                    free: 253)
            ),
            (
                "Dataplane",
                DataplaneDocument(
                    device: nil, mtu: nil, wanted: 0, present: 0, problem: nil, refusedCount: 0, refused: [],
                    faults: [.init(subnet: "10.244.20.0/24", node: nil, reason: "x")],
                    findings: [.init(check: "mtu", severity: "note", what: "a", why: "b", remedy: "c")])
            ),
            (
                "Dataplane",
                DataplaneDocument(
                    device: "d", mtu: 1, wanted: 1, present: 1, problem: "x", refusedCount: 1, refused: ["y"],
                    faults: [], lastAudit: "2026-01-01T00:00:00Z", repairs: 1,
                    peers: [
                        .init(
                            subnet: "10.244.20.0/24", node: "n", state: .differs, fault: nil,
                            entries: [.init(wanted: "a", present: nil), .init(wanted: "a", present: "b")]),
                        .init(subnet: "10.244.21.0/24", node: nil, state: .fault, fault: "f", entries: []),
                    ], pending: 2, plan: ["ip route del 1.2.3.0/24 protocol 116"])
            ),
            ("Lookup", LookupDocument(ip: "1.2.3.4", inNetwork: false, lease: nil, path: nil, problem: "x")),
            (
                "Lookup",
                LookupDocument(
                    ip: "1.2.3.4", inNetwork: true, lease: whole,
                    path: PathDocument(kind: .direct, route: "10.244.20.0/24"),
                    steps: [
                        PathStepDocument(.lease, wanted: "a", present: "a"),
                        PathStepDocument(.fdb, wanted: "a", present: nil, problem: "x"),
                    ], problem: nil)
            ),
            ("Problem", ProblemDocument(title: "a", status: 400, detail: "b")),
            ("Problem", ProblemDocument(title: "a", status: 400, detail: "b", instance: "c", parameter: "d")),
        ]
    }()

    @Test
    func
        `every operation but a probe and the page can answer that it is not known who asks, or that it must not be`()
        throws
    {
        #expect(!contract.answers.isEmpty)
        for (operation, statuses) in contract.answers {
            let isProbe = ["GET /livez", "GET /readyz", "GET /healthz", "GET /"].contains(operation)
            #expect(statuses.contains("401") != isProbe, "\(operation)")
            #expect(statuses.contains("403") != isProbe, "\(operation)")
        }
    }

    @Test func `what the documents encode to is what their schemas say`() throws {
        for (name, document) in Self.documents {
            let schema = try #require(contract.schemas[name], "\(name)")
            let value = try Contract.value(ofJSON: JSONEncoder().encode(document))
            #expect(contract.faults(of: value, by: schema) == [], "\(name)")
        }
    }

    @Test func `the enumerations are the same on both sides`() {
        #expect(Contract.names(contract.schemas["LeaseKind"]) == LeaseKind.allCases.map(\.rawValue))
        #expect(Contract.names(contract.schemas["Phase"]) == PhaseDocument.allCases.map(\.rawValue))
    }
}
