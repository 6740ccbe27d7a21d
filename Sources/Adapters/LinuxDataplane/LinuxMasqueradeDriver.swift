// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import NFTables
package import Netlink
import Synchronization

/// Masquerading by one table of nftables (``NFTable/init(_:)``).
package final class LinuxMasqueradeDriver: MasqueradeDriver {
    private let host: HostNamespace
    private let state = Mutex(State())

    private struct State {
        var monitor: NFTablesMonitor?
        /// The table that was written last, and how the kernel's answer prints it where the two differ.
        var printed: (wanted: NFTable, seen: NFTable)?
    }

    /// For the network namespace of the process.
    package init() { host = HostNamespace(nil) }

    package init(in namespace: consuming NetworkNamespace) { host = HostNamespace(namespace) }

    package func has(_ masquerade: Masquerade) async throws(DataplaneError) -> Bool {
        let wanted = NFTable(masquerade)
        let seen = try await host.nftables { context throws(NFTablesError) in try context.readableTable }
        if seen == wanted { return true }
        return state.withLock { state in
            guard let printed = state.printed else { return false }
            return printed.wanted == wanted && printed.seen == seen
        }
    }

    package func apply(_ masquerade: Masquerade) async throws(DataplaneError) {
        let wanted = NFTable(masquerade)
        let seen = try await host.nftables { context throws(NFTablesError) in
            try context.replace(wanted)
            return try context.readableTable
        }
        // A library that prints a rule in other words must not be taken for somebody who alters it.
        let differs = seen.flatMap { $0 != wanted && $0.hasShape(of: wanted) ? (wanted, $0) : nil }
        state.withLock { $0.printed = differs }
    }

    package func withdraw() async throws(DataplaneError) {
        try await host.nftables { context throws(NFTablesError) in try context.remove(.tartan) }
    }

    package func changes() async throws(DataplaneError) -> AsyncStream<Void> {
        do {
            let monitor = try host.monitor(table: NFTable.ID.tartan.name)
            state.withLock { $0.monitor = monitor }
            return monitor.changes
        } catch {
            throw DataplaneError(remedy: .retry, description: "notifications of nftables: \(error)")
        }
    }
}

extension NFTablesContext {
    /// The table; `nil` also where there is one that can't be read, which is not the one that was written:
    /// libnftables 1.0.6 prints what happens to be in memory for the flags of a table that somebody gave some.
    fileprivate var readableTable: NFTable? {
        get throws(NFTablesError) {
            do throws(NFTablesError) {
                return try table(.tartan)
            } catch {
                guard case .malformed = error.cause else { throw error }
                return nil
            }
        }
    }
}
