// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import TestKit
import Testing

/// One lease holder, node `n1`, and the world as it sees it: every method is an event, and gives the actions.
struct HolderScene {
    var machine: LeaseHolderStateMachine
    var table = LeaseTable()
    var config: ConfigReading
    var now = MonotonicTime(sinceStart: .seconds(100))

    static let ttl = Duration.seconds(60)
    /// How much of that a grant surely lives, counted from the request: a thousandth less.
    static let surely = ttl - ttl / 1000

    init(
        whenLost: LeaseHolderStateMachine.WhenLost = .move, remembered: String? = nil, preferred: String? = nil,
        carriesTraffic: Bool = true, min: String = "10.244.1.0", max: String = "10.244.4.0"
    ) throws {
        config = .valid(try LeaseFixtures.config(min: min, max: max))
        machine = LeaseHolderStateMachine(
            settings: .init(
                identity: NodeIdentity(
                    node: NodeID("n1"), publicIP: LeaseFixtures.publicIP(1),
                    remembered: try remembered.map { try SubnetKey(parsing: $0) },
                    preferred: try preferred.map { try SubnetKey(parsing: $0) }, mac: LeaseFixtures.mac(1)),
                carriesTraffic: carriesTraffic, ttl: Self.ttl, whenLost: whenLost), seed: 7)
    }

    /// A scene whose node leased 10.244.2.0/24 under grant 1 at revision 11, in the eyes of the feed as well.
    static func leased(whenLost: LeaseHolderStateMachine.WhenLost = .move) throws -> (HolderScene, Lease) {
        var scene = try HolderScene(whenLost: whenLost, preferred: "10.244.2.0-24")
        _ = scene.list([], at: 10)
        _ = scene.granted(1)
        let lease = try scene.lease("10.244.2.0/24", grant: 1, revision: 11)
        try #require(try scene.claimed(lease) == [.hold(lease)])
        try #require(scene.feed([.lease(lease)], at: 11).isEmpty)
        return (scene, lease)
    }

    /// Of another node in everything but what the arguments say.
    func rival(
        _ subnet: String, node: Int = 5, name: String? = nil, address: Int? = nil, revision: Int64
    ) throws -> Lease {
        var announcement = LeaseFixtures.announcement(node: node)
        if let name { announcement.node = NodeID(name) }
        if let address { announcement.publicIP = LeaseFixtures.publicIP(address) }
        return Lease(
            key: SubnetKey(try IPv4Prefix(parsing: subnet)), announcement: announcement,
            kind: .lease(GrantID(Int64(1000 + node))), createRevision: Revision(revision),
            modRevision: Revision(revision))
    }

    /// One of this node's own.
    func lease(_ subnet: String, grant: Int64?, revision: Int64) throws -> Lease {
        Lease(
            key: SubnetKey(try IPv4Prefix(parsing: subnet)), announcement: LeaseFixtures.announcement(node: 1),
            kind: grant.map { .lease(GrantID($0)) } ?? .reservation, createRevision: Revision(revision),
            modRevision: Revision(revision))
    }

    mutating func list(_ leases: [Lease], at revision: Int64) -> [LeaseHolderAction] {
        _ = table.apply(LeaseFixtures.snapshot(leases, at: revision))
        return machine.leasesKnown(table, config: config, at: now)
    }

    /// The first listing after etcd was restored from a snapshot.
    mutating func restored(_ leases: [Lease], at revision: Int64) -> [LeaseHolderAction] {
        _ = table.apply(LeaseFixtures.snapshot(leases, at: revision, startsHistory: true))
        return machine.leasesKnown(table, config: config, at: now)
    }

    mutating func read(_ reading: ConfigReading) -> [LeaseHolderAction] {
        config = reading
        return machine.leasesKnown(table, config: reading, at: now)
    }

    mutating func feed(_ records: [LeaseRecord], at revision: Int64) -> [LeaseHolderAction] {
        machine.leasesChanged(table.apply(records, at: Revision(revision)), in: table, at: now)
    }

    mutating func gone(_ lease: Lease, at revision: Int64) -> [LeaseHolderAction] {
        feed([.gone(name: lease.key.description, at: Revision(revision))], at: revision)
    }

    mutating func granted(_ id: Int64, ttl: Duration = ttl) -> [LeaseHolderAction] {
        machine.granted(Grant(id: GrantID(id), ttl: ttl), sentAt: now)
    }

    mutating func renewed(_ id: Int64, _ ttl: Duration?, after delay: Duration = .zero) -> [LeaseHolderAction] {
        let sentAt = now
        now = now + delay
        return machine.renewed(GrantID(id), ttl, sentAt: sentAt, in: table, at: now)
    }

    mutating func claimed(_ lease: Lease) throws -> [LeaseHolderAction] { try answer(.claimed(lease)) }

    /// Answers the claim that is under way.
    mutating func answer(_ outcome: ClaimOutcome) throws -> [LeaseHolderAction] {
        machine.committed(try #require(claim, "no claim is under way"), outcome, in: table, at: now)
    }

    mutating func failed(_ request: LeaseHolderRequest) -> [LeaseHolderAction] {
        machine.requestFailed(request, LeaseStoreError(remedy: .retry, description: "no etcd"), at: now)
    }

    /// Sleeps until the machine wants to be woken.
    mutating func wake() throws -> [LeaseHolderAction] {
        now = max(now, try #require(machine.wakeTime, "no timer runs"))
        return machine.timerFired(at: now)
    }

    var phase: LeasePhase { machine.phase(at: now) }

    /// The claim whose answer the machine waits for.
    var claim: LeaseClaim? {
        guard case .commit(let claim)? = machine.pending else { return nil }
        return claim
    }
}

extension [LeaseHolderAction] {
    var requests: [LeaseHolderRequest] {
        compactMap { if case .send(let request) = $0 { request } else { nil } }
    }

    var claim: LeaseClaim? {
        for case .commit(let claim) in requests { return claim }
        return nil
    }
}
