// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Dispatch
import NFTables
import Netlink

/// Work that belongs to one network namespace and blocks: libnftables, and files under /proc, which show the namespace
/// of the thread that opens them. Done one after another on a queue of its own.
final class HostNamespace: Sendable {
    /// `nil`: the process's own. Entering a namespace needs CAP_SYS_ADMIN, also the one that one is in.
    private let namespace: NetworkNamespace?
    private let queue = DispatchQueue(label: "tartan.host")

    init(_ namespace: consuming NetworkNamespace?) { self.namespace = namespace }

    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws(DataplaneError) -> Value {
        let result: Result<Value, NetlinkError> = await withCheckedContinuation { continuation in
            queue.async { [self] in continuation.resume(returning: enter(body)) }
        }
        return try result.mapError { DataplaneError($0) }.get()
    }

    /// Gives the body a context of its own: making one is cheap, and nothing old is in it.
    func nftables<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing NFTablesContext) throws(NFTablesError) -> Value
    ) async throws(DataplaneError) -> Value {
        let result = try await run { () -> Result<Value, NFTablesError> in
            do throws(NFTablesError) {
                return .success(try body(try NFTablesContext()))
            } catch {
                return .failure(error)
            }
        }
        return try result.mapError { DataplaneError($0) }.get()
    }

    func monitor(table: String) throws(NetlinkError) -> NFTablesMonitor {
        switch namespace {
        case .some(let namespace): try NFTablesMonitor(table: table, in: namespace)
        case .none: try NFTablesMonitor(table: table)
        }
    }

    func socket() throws(NetlinkError) -> RouteSocket {
        switch namespace {
        case .some(let namespace): try RouteSocket(in: namespace)
        case .none: try RouteSocket()
        }
    }

    private func enter<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Result<Value, NetlinkError> {
        do throws(NetlinkError) {
            switch namespace {
            case .some(let namespace): return .success(try namespace.run { () throws(NetlinkError) in body() })
            case .none: return .success(body())
            }
        } catch {
            return .failure(error)
        }
    }
}

extension DataplaneError {
    init(_ error: NFTablesError) {
        let remedy: Remedy =
            switch error.cause {
            case .notPermitted: .notPermitted
            case .notSupported: .misconfigured
            case .absent, .refused, .malformed: .retry
            }
        self.init(remedy: remedy, description: error.description)
    }
}
