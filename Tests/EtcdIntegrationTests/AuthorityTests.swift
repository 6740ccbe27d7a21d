// SPDX-License-Identifier: Apache-2.0

import Etcd
import EtcdStore
import IPAddressing
import Lab
import Leases
import Logging
import NodeAgent
import TestKit
import Testing

/// Authorities over a real etcd, side by side and without knowing of each other.
@Suite(.timeLimit(.minutes(2)), .enabled(if: EtcdVersion.installed != nil, EtcdVersion.reason))
struct AuthorityTests {
    private static let keys = KeySpace(prefix: "/coreos.com/network")

    /// One daemon's part of it: what follows etcd, and what leases to others.
    private struct Authority {
        let client: EtcdClient
        let status: NodeStatus
        let authority: LeaseAuthority
        let store: EtcdLeaseStore

        func settle(at revision: Revision) async throws {
            try await AuthorityTests.wait("the feed says it") { status.read { $0.leases.revision >= revision } }
        }
    }

    private static func wait(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await !condition() {
            guard .now < deadline else { throw TooLate(what: what) }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private struct TooLate: Error {
        let what: String
    }

    private static func with(
        _ count: Int, network: String = "10.244.0.0/16",
        _ body: (_ authorities: [Authority], _ cluster: EtcdCluster) async throws -> Void
    ) async throws {
        let version = try #require(EtcdVersion.installed)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let config = bytes(#"{"Network":"\#(network)","SubnetLen":24,"Backend":{"Type":"vxlan"}}"#)
            try await cluster.client().put(keys.config, config)
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                var authorities: [Authority] = []
                for number in 0..<count {
                    let client = try cluster.client()
                    let store = EtcdLeaseStore(client: client, keys: keys)
                    let status = NodeStatus(node: NodeID("authority\(number)"), clock: MonotonicClock())
                    let inbox = LeaseHolderInbox()
                    let bystander = LeaseBystander(store: store, status: status, inbox: inbox, logger: logger)
                    let watcher = PeerWatcher(
                        store: store, status: status, holder: inbox, reconciler: ReconcilerInbox(), logger: logger)
                    let authority = LeaseAuthority(store: store, status: status, logger: logger)
                    group.addTask { try await bystander.run() }
                    group.addTask { try await watcher.run() }
                    group.addTask { await authority.run() }
                    try await wait("the leases are known") {
                        status.read { $0.leases.isComplete && $0.config != nil }
                    }
                    authorities.append(
                        Authority(client: client, status: status, authority: authority, store: store))
                }
                try await body(authorities, cluster)
            }
        }
    }

    private static func wish(_ number: Int, ttl: Duration = .seconds(60)) -> LeaseApplication.Wish {
        LeaseApplication.Wish(
            node: NodeID("edge-\(number)"), publicIP: LeaseFixtures.publicIP(number + 1), ttl: ttl)
    }

    private static func token(_ number: Int) throws -> TokenDigest {
        try #require(TokenDigest((0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 4 * 8) &+ $0) }))
    }

    @Test
    func `500 leases asked for through two authorities at once are 500 subnets, and are renewed in a few requests`()
        async throws
    {
        // 511 subnets: the two run into each other.
        try await Self.with(2, network: "10.244.0.0/15") { authorities, _ in
            let leases = try await withThrowingTaskGroup(of: (Int, Lease).self) { group in
                for number in 0..<500 {
                    group.addTask {
                        let held = try await authorities[number % 2].authority.lease(
                            Self.wish(number), token: try Self.token(number), isRepeatable: false)
                        return (number, held.lease)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(leases.map(\.1.key)).count == 500)
            let listed = try await authorities[0].client.range(RangeRequest(Self.keys.leases))
            #expect(listed.count == 500)
            let asked = authorities.map(\.client.counters.unaryTotal)
            // Two requests each, and one for every time somebody else was faster.
            #expect(asked.reduce(0, +) < 2500, "\(asked)")

            // Each at the authority that did not make it.
            let before = authorities.map(\.client.counters.unaryTotal)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, lease) in leases {
                    group.addTask {
                        let outcome = try await authorities[(number + 1) % 2].authority.renew(
                            lease.key, token: try Self.token(number))
                        guard case .renewed(let renewed, .some) = outcome, renewed.key == lease.key else {
                            Issue.record("\(outcome)")
                            return
                        }
                    }
                }
                try await group.waitForAll()
            }
            for (authority, before) in zip(authorities, before) {
                #expect(authority.client.counters.unaryTotal - before < 60)
            }
            let digest = try #require(
                try await authorities[0].client.range(
                    RangeRequest(KeyRange(key: Self.keys.token(of: leases[0].1.key)))
                ).keyValues.first)
            #expect(digest.lease == leases[0].1.grantID?.value)
        }
    }

    @Test
    func `a thousand grants are renewed in a few requests, also where the gateway answers only the first of many`()
        async throws
    {
        try await Self.with(1) { authorities, _ in
            let store = authorities[0].store
            let grants = try await withThrowingTaskGroup(of: GrantID.self) { group in
                for _ in 0..<1000 { group.addTask { try await store.grant(ttl: .seconds(60)).id } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let before = authorities[0].client.counters.unaryTotal
            let lives = try await store.renew(grants + [GrantID(4711)])
            #expect(lives.count == 1000 && lives[GrantID(4711)] == nil)
            #expect(authorities[0].client.counters.unaryTotal - before < 70)
        }
    }

    @Test func `a wrong token renews nothing, and a lease whose holder is gone ends with its token`() async throws {
        try await Self.with(2) { authorities, _ in
            let held = try await authorities[0].authority.lease(
                Self.wish(1, ttl: .seconds(2)), token: try Self.token(1), isRepeatable: false)
            let key = held.lease.key
            guard case .wrongToken = try await authorities[1].authority.renew(key, token: try Self.token(2)) else {
                Issue.record("not refused")
                return
            }
            try await authorities[1].settle(at: held.lease.modRevision)
            try await Self.wait("the lease has ended") { authorities[1].status.read { $0.leases[key] == nil } }
            guard case .gone = try await authorities[1].authority.renew(key, token: try Self.token(1)) else {
                Issue.record("not gone")
                return
            }
            let token = try await authorities[0].client.range(RangeRequest(KeyRange(key: Self.keys.token(of: key))))
            #expect(token.keyValues.isEmpty)
            // The authority saw it end, and nobody else could have noted that.
            try await Self.wait("it is noted") {
                let note = try await authorities[0].client.range(
                    RangeRequest(KeyRange(key: Self.keys.holder(of: key)))
                ).keyValues.first
                return (note?.modRevision ?? 0) > held.lease.modRevision.value
            }
        }
    }

    @Test func `a token does not outlive its lease, whoever has the subnet next`() async throws {
        try await Self.with(1) { authorities, _ in
            let (store, authority) = (authorities[0].store, authorities[0].authority)
            let held = try await authority.lease(Self.wish(1), token: try Self.token(1), isRepeatable: false)
            // As `tartan release` does it in etcd itself, and then a node's own claim.
            #expect(try await store.release(held.lease))
            let grant = try await store.grant(ttl: .seconds(60))
            let claim = LeaseClaim(
                key: held.lease.key, announcement: LeaseFixtures.announcement(node: 9), grant: grant.id,
                condition: .absent, known: held.lease.modRevision)
            guard case .claimed = try await store.commit(claim) else {
                Issue.record("not claimed")
                return
            }
            guard case .notIssued = try await authority.renew(held.lease.key, token: try Self.token(1)) else {
                Issue.record("the old token renews another's lease")
                return
            }
        }
    }

    @Test func `what is given back is gone with its grant, and only by the revision that was read`() async throws {
        try await Self.with(2) { authorities, _ in
            let held = try await authorities[0].authority.lease(
                Self.wish(1), token: try Self.token(1), isRepeatable: false)
            let other = authorities[1]
            let proof = try #require(try await other.authority.present(held.lease.key))
            #expect(proof.token?.matches(try Self.token(1)) == true)
            let stale = LeaseProof(
                lease: Lease(
                    key: held.lease.key, announcement: held.lease.announcement, kind: held.lease.kind,
                    createRevision: held.lease.createRevision, modRevision: Revision(1)), token: nil)
            #expect(try await other.authority.withdraw(stale) == .changed)
            #expect(try await other.authority.withdraw(proof) == .withdrawn)
            #expect(try await other.authority.withdraw(proof) == .gone)
            let grant = try #require(held.lease.grantID)
            try await Self.wait("its grant is ended") { try await other.store.remainingTime(of: grant) == nil }
        }
    }

    @Test func `a dual-stack lease is found by its IPv4 subnet alone`() async throws {
        try await Self.with(1) { authorities, _ in
            let store = authorities[0].store
            let key = try SubnetKey(parsing: "10.244.4.0-24&fd00:10:244:4::-64")
            let claim = LeaseClaim(
                key: key, announcement: LeaseFixtures.announcement(node: 4), grant: nil, condition: .absent,
                known: .zero)
            guard case .claimed(let lease) = try await store.commit(claim) else {
                Issue.record("not claimed")
                return
            }
            #expect(try await store.lease(of: key.subnet) == lease)
            #expect(try await store.lease(of: try IPv4Prefix(parsing: "10.244.40.0/24")) == nil)
        }
    }

    @Test func `reservations are kept by one authority and given out by the other`() async throws {
        try await Self.with(2) { authorities, _ in
            let key = try SubnetKey(parsing: "10.244.42.0-24")
            let request = ReservationRequest(
                subnet: key.subnet, node: NodeID("edge-1"), publicIP: LeaseFixtures.publicIP(2))
            guard
                case .created(let reservation) = try await authorities[0].authority.reserve(
                    request, key, present: nil, isNamed: false)
            else {
                Issue.record("not made")
                return
            }
            try await authorities[1].settle(at: reservation.modRevision)
            let held = try await authorities[1].authority.lease(
                Self.wish(1), token: try Self.token(1), isRepeatable: false)
            #expect(held.lease.key == key && held.lease.grantID == nil && held.until == nil)
            guard case .renewed(_, nil) = try await authorities[0].authority.renew(key, token: try Self.token(1)) else {
                Issue.record("its token proves nothing")
                return
            }
            // Made anew it is another reservation.
            let proof = try #require(try await authorities[0].authority.present(key))
            #expect(try await authorities[0].authority.withdraw(proof) == .withdrawn)
            let claim = LeaseClaim(
                key: key, announcement: held.lease.announcement, grant: nil, condition: .absent, known: .zero)
            _ = try await authorities[0].store.commit(claim)
            guard case .notIssued = try await authorities[0].authority.renew(key, token: try Self.token(1)) else {
                Issue.record("an old token proves a new reservation's holder")
                return
            }
        }
    }

    @Test func `an etcd that goes away in the middle leaves nothing behind`() async throws {
        try await Self.with(1) { authorities, cluster in
            let asking = Task {
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<60 {
                        group.addTask {
                            do {
                                let token = try Self.token(number)
                                _ = try await authorities[0].authority.lease(
                                    Self.wish(number), token: token, isRepeatable: false)
                                return true
                            } catch is LeaseStoreError {
                                return false
                            }
                        }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
            }
            try await Self.wait("some are leased") { authorities[0].status.read { $0.leases.count >= 3 } }
            await cluster.only.kill()
            let leased = try await asking.value
            try await cluster.only.start()
            let client = try cluster.client()
            // What was answered is there, and what was not goes once etcd is back.
            try await Self.wait("what nobody was told of is gone") {
                try await client.range(RangeRequest(Self.keys.leases)).count == leased
            }
        }
    }
}
