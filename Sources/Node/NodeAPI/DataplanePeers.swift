// SPDX-License-Identifier: Apache-2.0

import APISchema
import Dataplane
import IPAddressing
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

    let local: LocalNode<IPv4Address>?
    let ipv6Local: LocalNode<IPv6Address>?
    let faults: [SubnetKey: String]
    let ipv6Faults: [SubnetKey: String]
    let pending: [String: PendingEntry]
    /// More differ than are told one by one.
    let isCutShort: Bool
    let own: SubnetKey?

    init(_ snapshot: NodeStatus.Snapshot) {
        local = snapshot.dataplane.local
        ipv6Local = snapshot.dataplane.ipv6Local
        faults = snapshot.faults
        ipv6Faults = snapshot.ipv6Faults
        pending = Dictionary(snapshot.dataplane.pending.map { ($0.key, $0) }) { first, _ in first }
        isCutShort = snapshot.dataplane.pendingCount > snapshot.dataplane.pending.count
        own = snapshot.lease?.key
    }

    func documents(of leases: [Lease], _ choice: Choice, _ filter: LeaseFilter) -> [DataplanePeerDocument] {
        guard choice != .none else { return [] }
        return leases.lazy.filter { $0.key != own && filter.admits($0) }.compactMap { document(of: $0) }
            .filter { choice == .all || $0.state != .present }
    }

    /// `nil`: the lease is none of this node's business, such as its own.
    func document(of lease: Lease) -> DataplanePeerDocument? {
        let problems = [faults[lease.key], ipv6Faults[lease.key]].compactMap(\.self)
        var document = DataplanePeerDocument(
            subnet: lease.key.text, node: lease.announcement.node?.name, state: .present,
            fault: problems.isEmpty ? nil : problems.joined(separator: "; "), entries: [])
        // One half may be well where the other is not.
        document.entries = (faults[lease.key] == nil ? entries(of: lease, local) : nil) ?? []
        document.entries += (ipv6Faults[lease.key] == nil ? entries(of: lease, ipv6Local) : nil) ?? []
        if document.fault != nil {
            document.state = .fault
            return document
        }
        guard !document.entries.isEmpty else { return nil }
        if !document.entries.allSatisfy(\.isTrue) { document.state = isCutShort ? .unknown : .differs }
        return document
    }

    /// The entries of one half of a lease; `nil`: that half is not programmed here.
    func entries(of lease: Lease, isIPv6: Bool) -> [DataplanePeerDocument.Entry]? {
        isIPv6 ? entries(of: lease, ipv6Local) : entries(of: lease, local)
    }

    private func entries<Address>(
        of lease: Lease, _ local: LocalNode<Address>?
    ) -> [DataplanePeerDocument.Entry]? {
        guard let local, case .success(let entries) = local.entries(for: lease) else { return nil }
        return entries.described.map { key, entry in
            guard let pending = pending[key] else {
                return DataplanePeerDocument.Entry(wanted: entry, present: isCutShort ? nil : entry)
            }
            return DataplanePeerDocument.Entry(wanted: entry, present: pending.present)
        }
    }
}
