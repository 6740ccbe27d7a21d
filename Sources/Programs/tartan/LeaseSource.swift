// SPDX-License-Identifier: Apache-2.0

import APISchema
import Leases
import NodeClient

/// Whom the program asks about leases: a daemon, or etcd itself. Both answer in the REST endpoint's forms.
protocol LeaseSource: Sendable {
    func leases() async throws -> LeaseListDocument
    /// With its expiry; `nil` where nobody has it.
    func lease(_ key: SubnetKey) async throws -> LeaseDocument?
    func network() async throws -> NetworkDocument
    func lookup(_ ip: String) async throws -> LookupDocument
    func watch() -> AsyncThrowingStream<LeaseWatchNotice, any Error>
    func reserve(_ key: SubnetKey, for reservation: ReservationRequestDocument) async throws -> LeaseDocument
    /// Gives back exactly the lease that was read.
    func release(_ lease: LeaseDocument) async throws
}

/// A daemon.
struct DaemonSource: LeaseSource {
    let client: NodeClient

    func leases() async throws -> LeaseListDocument { try await client.leases() }
    func lease(_ key: SubnetKey) async throws -> LeaseDocument? { try await client.lease(key.description) }
    func network() async throws -> NetworkDocument { try await client.network() }
    func lookup(_ ip: String) async throws -> LookupDocument { try await client.lookup(ip) }

    func release(_ lease: LeaseDocument) async throws {
        do {
            try await client.release(lease)
        } catch {
            switch error.status {
            case 405, 501: throw unable
            // No such path, or no such lease any more.
            case 404 where try await client.lease(lease.key) != nil: throw unable
            default: throw error
            }
        }
    }

    func reserve(_ key: SubnetKey, for reservation: ReservationRequestDocument) async throws -> LeaseDocument {
        do {
            return try await client.reserve(key.description, for: reservation)
        } catch {
            if let status = error.status, [404, 405, 501].contains(status) { throw unable }
            throw error
        }
    }

    /// A daemon of an early version, which only read.
    private var unable: ProgramError {
        ProgramError(
            .unavailable,
            "the daemon at \(client.server) can't reserve and release subnets; give --etcd-endpoints to do it in etcd itself"
        )
    }

    func watch() -> AsyncThrowingStream<LeaseWatchNotice, any Error> {
        let client = client
        return AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    for try await notice in client.watchLeases() { continuation.yield(notice) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}
