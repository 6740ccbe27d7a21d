// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// A subnet that is to be kept for a node for good: what that means for the leases as they are, decided without I/O.
///
/// Asked for twice it is one reservation. Another one that stands there is only changed by who names its revision, and
/// a lease is never made a reservation under its holder.
package struct ReservationRequest: Hashable, Sendable {
    package let subnet: IPv4Prefix
    package let node: NodeID
    package let publicIP: IPv4Address
    /// `nil`: the network config's.
    package let backend: LeaseAnnouncement.Backend?

    package init(
        subnet: IPv4Prefix, node: NodeID, publicIP: IPv4Address, backend: LeaseAnnouncement.Backend? = nil
    ) {
        self.subnet = subnet
        self.node = node
        self.publicIP = publicIP
        self.backend = backend
    }

    package enum Decision: Hashable, Sendable {
        case write(LeaseClaim)
        /// It stands there as it was asked for.
        case isThere(Lease)
        case refused(LeaseRefusal)
    }

    /// - Parameters:
    ///   - present: what the subnet's key holds now, which the table may not know yet.
    ///   - isNamed: the request says which revision of it is to be changed, and is right.
    package func decide(
        _ key: SubnetKey, present: Lease?, isNamed: Bool, in table: LeaseTable, config reading: ConfigReading
    ) -> Decision {
        guard case .valid(let config) = reading else { return .refused(.noConfig(reading)) }
        guard config.admits(key) else { return .refused(.notGivenOut(key)) }
        let announcement = announcement(in: config)
        if let present {
            guard present.grantID == nil else { return .refused(.subnetTaken(key, by: present)) }
            if says(present.announcement) { return .isThere(present) }
            guard isNamed else { return .refused(.reservationDiffers(present)) }
        }
        if let refusal = contradiction(with: key, among: table.leases) { return .refused(refusal) }
        if let taken = table.takenKeys.first(where: { $0 != key && $0.overlaps(key) }) {
            return .refused(.subnetTaken(taken, by: table[taken]))
        }
        return .write(
            LeaseClaim(
                key: key, announcement: announcement, grant: nil, condition: present?.unchanged ?? .absent,
                known: table.revision))
    }

    /// Why a reservation that was just written can't stand: something older that nobody knew of then.
    package func contradiction(of lease: Lease, among meanwhile: [LeaseRecord]) -> LeaseRefusal? {
        let leases = meanwhile.compactMap { record -> Lease? in
            if case .lease(let other) = record { other } else { nil }
        }
        if let refusal = contradiction(with: lease.key, among: leases) { return refusal }
        for record in meanwhile {
            switch record {
            case .lease(let other) where other.key != lease.key && other.key.overlaps(lease.key):
                return .subnetTaken(other.key, by: other)
            case .unreadable(let bad):
                if let key = bad.key, key != lease.key, key.overlaps(lease.key) {
                    return .subnetTaken(key, by: nil)
                }
            default: break
            }
        }
        return nil
    }

    private func contradiction(with key: SubnetKey, among leases: some Sequence<Lease>) -> LeaseRefusal? {
        let identity = NodeIdentity(node: node, publicIP: publicIP)
        for lease in leases where lease.key != key {
            switch identity.relation(to: lease) {
            case .none: continue
            case .conflict(let conflict): return .identityTaken(conflict)
            // The node takes its reservation once it has no lease; of two it would only ever take one.
            case .own: if lease.grantID == nil { return .hasReservation(lease) }
            }
        }
        return nil
    }

    /// Whether a reservation says what is asked for. Its node, once it has taken it, adds how it is reached.
    private func says(_ announcement: LeaseAnnouncement) -> Bool {
        announcement.node == node && announcement.publicIP == publicIP
            && backend.map { $0 == announcement.backend } ?? true
    }

    private func announcement(in config: NetworkConfig) -> LeaseAnnouncement {
        let standard: LeaseAnnouncement.Backend =
            switch config.backend {
            case .vxlan: .vxlan(ipv4: nil, ipv6: nil)
            case .hostGateway: .hostGateway
            case .none: .other(config.backend.type)
            }
        return LeaseAnnouncement(node: node, owner: .tartan, publicIP: publicIP, backend: backend ?? standard)
    }
}
