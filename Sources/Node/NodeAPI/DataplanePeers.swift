// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import Leases
import NodeAgent

/// What the kernel has of each peer: the leases as this node reads them, and what differed after the last pass.
struct DataplanePeers {
    /// Which peers are told one by one.
    enum Choice: String, CaseIterable {
        case all
        /// Those with a fault or a difference.
        case differing
        case none

        init(_ query: QueryParameters) throws(APIProblem) {
            guard let text = query["peers"] else {
                self = .all
                return
            }
            guard let choice = Self(rawValue: text) else {
                throw .badParameter("peers", "the parameter 'peers' is '\(text)'; it must be all, differing or none")
            }
            self = choice
        }
    }

    let local: LocalNode?
    let faults: [SubnetKey: String]
    let pending: [String: PendingEntry]
    let own: SubnetKey?

    init(_ snapshot: NodeStatus.Snapshot) {
        local = snapshot.dataplane.local
        faults = snapshot.faults
        pending = Dictionary(snapshot.dataplane.pending.map { ($0.key, $0) }) { first, _ in first }
        own = snapshot.lease?.key
    }

    func documents(of leases: [Lease], _ choice: Choice, _ filter: LeaseFilter) -> [DataplanePeerDocument] {
        guard choice != .none else { return [] }
        return leases.lazy.filter { $0.key != own && filter.admits($0) }.compactMap { document(of: $0) }
            .filter { choice == .all || $0.state != .present }
    }

    /// `nil`: the lease is none of this node's business, such as its own.
    func document(of lease: Lease) -> DataplanePeerDocument? {
        var document = DataplanePeerDocument(
            subnet: "\(lease.subnet)", node: lease.announcement.node?.name, state: .present, fault: faults[lease.key],
            entries: [])
        if document.fault != nil {
            document.state = .fault
            return document
        }
        guard let local, case .success(let entries) = local.entries(for: lease) else { return nil }
        document.entries = entries.described.map { key, entry in
            guard let pending = pending[key] else { return DataplanePeerDocument.Entry(wanted: entry, present: entry) }
            return DataplanePeerDocument.Entry(wanted: entry, present: pending.present)
        }
        if !document.entries.allSatisfy(\.isTrue) { document.state = .differs }
        return document
    }
}
