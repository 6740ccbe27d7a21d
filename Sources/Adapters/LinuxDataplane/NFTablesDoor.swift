// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Dispatch
import NFTables
import Netlink

/// Runs libnftables in one network namespace, on a queue of its own: its calls block.
final class NFTablesDoor: Sendable {
    /// `nil`: the process's own. Entering a namespace needs CAP_SYS_ADMIN, also the one that one is in.
    private let namespace: NetworkNamespace?
    private let queue = DispatchQueue(label: "tartan.nftables")

    init(in namespace: consuming NetworkNamespace?) { self.namespace = namespace }

    /// Gives the body a context of its own, made in the namespace; it is cheap, and nothing old is in it.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing NFTablesContext) throws(NFTablesError) -> Value
    ) async throws(DataplaneError) -> Value {
        let result = await withCheckedContinuation { continuation in
            queue.async { [self] in
                continuation.resume(returning: perform(body))
            }
        }
        return try result.get()
    }

    func monitor(table: String) throws(NetlinkError) -> NFTablesMonitor {
        // Not `if let`, which would take the namespace out.
        switch namespace {
        case .some(let namespace): try NFTablesMonitor(table: table, in: namespace)
        case .none: try NFTablesMonitor(table: table)
        }
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing NFTablesContext) throws(NFTablesError) -> Value
    ) -> Result<Value, DataplaneError> {
        let call: @Sendable () -> Result<Value, NFTablesError> = {
            do throws(NFTablesError) {
                return .success(try body(try NFTablesContext()))
            } catch {
                return .failure(error)
            }
        }
        do throws(NetlinkError) {
            switch namespace {
            case .some(let namespace):
                return try namespace.run { () throws(NetlinkError) in call() }.mapError(DataplaneError.init)
            case .none: return call().mapError(DataplaneError.init)
            }
        } catch {
            return .failure(DataplaneError(remedy: .retry, description: error.description))
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
