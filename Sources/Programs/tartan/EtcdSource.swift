// SPDX-License-Identifier: Apache-2.0

import APISchema
import Etcd
import EtcdStore
import FoundationEssentials
import IPAddressing
import Leases
import NodeClient

/// etcd itself: no daemon need run anywhere.
struct EtcdSource: LeaseSource {
    let client: EtcdClient
    let keys: KeySpace

    private var store: EtcdLeaseStore { EtcdLeaseStore(client: client, keys: keys) }

    /// Leases and config as of one revision.
    func snapshot() async throws -> (table: LeaseTable, config: ConfigReading) {
        var table = LeaseTable()
        var config = ConfigReading.missing
        for try await event in store.feed() {
            switch event {
            case .snapshot(let part):
                _ = table.apply(part)
                config = part.config ?? config
                if part.isLast { return (table, config) }
            case .interrupted(let error): throw error
            case .changes, .resumed: break
            }
        }
        throw CancellationError()
    }

    func leases() async throws -> LeaseListDocument { LeaseListDocument(try await snapshot().table) }

    func lease(_ key: SubnetKey) async throws -> LeaseDocument? {
        let table = try await snapshot().table
        // By its IPv6 subnet alone, a lease of a dual-stack network is found as well.
        let other = key.ipv4Subnet == nil ? table.leases.first { $0.key.ipv6Subnet == key.ipv6Subnet } : nil
        guard let lease = table[key] ?? other else { return nil }
        var document = LeaseDocument(lease)
        if let grant = lease.grantID, let left = try await store.remainingTime(of: grant) {
            document.ttl = Int(left.components.seconds)
            document.expiresAt = Date.now.addingTimeInterval(Double(left.components.seconds)).formatted(.iso8601)
        }
        return document
    }

    func network() async throws -> NetworkDocument {
        let (table, config) = try await snapshot()
        return NetworkDocument(config, leases: table, key: keys.config)
    }

    /// Whose it is; the way there is a daemon's to tell.
    func lookup(_ ip: String) async throws -> LookupDocument {
        let address = try IPAddress(parsing: ip)
        let (table, config) = try await snapshot()
        let lease = table.leases.first { lease in
            switch address {
            case .v4(let address): lease.key.ipv4Subnet?.contains(address) ?? false
            case .v6(let address): lease.key.ipv6Subnet?.contains(address) ?? false
            }
        }
        var inNetwork = false
        if case .valid(let config) = config {
            inNetwork =
                switch address {
                case .v4(let address): config.hasIPv4 && config.network.contains(address)
                case .v6(let address): config.ipv6?.network.contains(address) ?? false
                }
        }
        let holder = lease.map { $0.announcement.node.map { "\($0)" } ?? "\($0.announcement.publicIP)" }
        return LookupDocument(
            ip: "\(address)", inNetwork: inNetwork, lease: lease.map { LeaseDocument($0) }, path: nil,
            steps: lease.map { lease in
                let text = "\(lease.subnet) of \(holder ?? "-")"
                return [PathStepDocument(.lease, wanted: text, present: text)]
            } ?? [],
            problem: lease == nil ? "no node holds a subnet with this address" : nil)
    }

    func watch() -> AsyncThrowingStream<LeaseWatchNotice, any Error> {
        let feed = store.feed()
        return AsyncThrowingStream { continuation in
            let task = Task {
                var teller = FeedTeller()
                do {
                    for try await event in feed {
                        for notice in try teller.notices(event) { continuation.yield(notice) }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    func reserve(_ key: SubnetKey, for reservation: ReservationRequestDocument) async throws -> LeaseDocument {
        let (table, config) = try await snapshot()
        guard case .valid(let config) = config else {
            throw ProgramError(.configuration, config.problem(at: keys.config) ?? "")
        }
        guard config.admits(key) else {
            throw ProgramError(.refused, "\(key.subnet) is not a subnet that the network config gives out")
        }
        if let taken = table.takenKeys.first(where: { $0.overlaps(key) }) {
            throw ProgramError(.refused, "\(key.subnet) is not free: somebody holds \(taken.subnet)")
        }
        let backend: LeaseAnnouncement.Backend =
            switch config.backend {
            case .vxlan: .vxlan(ipv4: nil, ipv6: nil)
            case .hostGateway: .hostGateway
            case .none: .other(config.backend.type)
            }
        let announcement = LeaseAnnouncement(
            node: NodeID(reservation.node), owner: .tartan, publicIP: try IPv4Address(parsing: reservation.publicIP),
            backend: backend)
        let claim = LeaseClaim(
            key: key, announcement: announcement, grant: nil, condition: .absent, known: table.revision)
        guard case .claimed(let lease) = try await store.commit(claim) else {
            throw ProgramError(.refused, "\(key.subnet) is not free: somebody was faster")
        }
        return LeaseDocument(lease)
    }

    func release(_ lease: LeaseDocument) async throws {
        guard let revision = Int64(lease.modRevision),
            try await store.release(try SubnetKey(parsing: lease.key), at: Revision(revision))
        else {
            throw ProgramError(.refused, "\(lease.subnet) was written meanwhile; look at it again")
        }
    }
}

/// What the feed says, as a watch tells it.
private struct FeedTeller {
    private var table = LeaseTable()
    private var wasComplete = false

    mutating func notices(_ event: LeaseEvent) throws -> [LeaseWatchNotice] {
        switch event {
        case .snapshot(let part):
            _ = table.apply(part)
            guard part.isLast else { return [] }
            wasComplete = true
            return [.snapshot(LeaseListDocument(table))]
        case .changes(let records, _, let revision):
            return table.apply(records, at: revision).map { change in
                switch change {
                case .added(let lease): .added(LeaseDocument(lease), revision: "\(revision)")
                case .updated(let lease, _): .updated(LeaseDocument(lease), revision: "\(revision)")
                case .removed(let lease): .removed(LeaseDocument(lease), revision: "\(revision)")
                }
            }
        case .interrupted(let error):
            guard wasComplete else { throw error }
            Terminal.complain("\(error); trying again")
            return []
        case .resumed: return []
        }
    }
}
