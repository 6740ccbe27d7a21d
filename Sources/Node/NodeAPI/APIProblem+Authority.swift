// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Leases

/// Why a change was not made. Where the state of the cluster is in the way it is 409, with who is; what the cluster's
/// network config would never allow is 422; what may be well in a moment is 503.
extension APIProblem {
    init(_ error: LeaseStoreError) {
        self = .unavailable(
            "\(error)" + (error.mayHaveApplied ? "; the change may have been made: look before you repeat it" : ""))
    }

    static func unavailable(_ detail: String) -> Self {
        Self(status: .serviceUnavailable, title: "Unavailable", detail: detail, headers: [.retryAfter: "1"])
    }

    static func conflict(_ detail: String, parameter: String? = nil) -> Self {
        Self(status: .conflict, title: "Conflict", detail: detail, parameter: parameter)
    }

    init(_ refusal: LeaseRefusal, configKey: String) {
        switch refusal {
        case .noConfig(let reading):
            self = .unavailable(reading.problem(at: configKey) ?? "the network config has not been read yet")
        case .hasLease(let lease) where lease.grantID == nil:
            self = .conflict(
                "\(Self.holder(lease)) uses its reservation \(lease.subnet) already; repeat the request with the "
                    + "Idempotency-Key and the VTEP that took it, or make the reservation anew with DELETE and PUT "
                    + "/v1/reservations/\(lease.key)", parameter: "node")
        case .hasLease(let lease):
            self = .conflict(
                "\(Self.holder(lease)) has \(lease.subnet) already; renew it with its token, repeat the request with the "
                    + "Idempotency-Key that made it, or give it back with DELETE /v1/leases/\(lease.key) and If-Match: "
                    + "\"\(lease.modRevision)\" and ask again", parameter: "node")
        case .identityTaken(let conflict):
            self = .conflict(
                "\(Self.holder(conflict.lease)) holds \(conflict.lease.subnet), and a name and a public address belong to "
                    + "one node; give this one another, or release that lease if its node is gone",
                parameter: conflict.shared == .name ? "node" : "publicIP")
        case .notGivenOut(let key):
            self.init(
                status: .unprocessableContent, title: "Not given out",
                detail:
                    "\(key.subnet) is not a subnet that the network config gives out; GET /v1/network says which are",
                parameter: "subnet")
        case .subnetTaken(let key, let lease):
            let what = lease.map {
                $0.grantID == nil ? "is kept for \(Self.holder($0))" : "is held by \(Self.holder($0))"
            }
            self = .conflict(
                "\(key.subnet) \(what ?? "is held by a lease that can't be read"); choose another, or release that one",
                parameter: "subnet")
        case .rangeFull(let taken, let size):
            self = .conflict(
                "all \(size) subnets of the network are taken, by \(taken) leases and reservations; release some, or "
                    + "enlarge the network")
        case .hasReservation(let lease):
            self = .conflict("\(lease.subnet) is kept for \(Self.holder(lease)) already", parameter: "subnet")
        case .reservationDiffers(let lease):
            self = .conflict(
                "\(lease.subnet) is kept for \(Self.holder(lease)); to change that, say If-Match: \"\(lease.modRevision)\"",
                parameter: "subnet")
        case .contended: self = .unavailable("others were faster too often; ask again")
        }
    }

    private static func holder(_ lease: Lease) -> String {
        let address = lease.announcement.publicIP
        return lease.announcement.node.map { "node '\($0)' at \(address)" } ?? "a node without a name at \(address)"
    }
}
