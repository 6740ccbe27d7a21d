// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Leases
import Logging
import NodeAgent
import ServiceLifecycle
import Synchronization

/// Tells every reader of the event stream what happens to the leases: written into bytes once, given to all.
final class LeaseBroadcast: Sendable {
    private struct State {
        var clients: [ObjectIdentifier: EventStreamClient] = [:]
        var isOver = false
    }

    /// Where the broadcast stands in the journal; only its own loop has it.
    private struct Position {
        var mark: LeaseJournal.Mark
        var own: SubnetKey?

        init(_ snapshot: NodeStatus.Snapshot) {
            mark = snapshot.journal.mark
            own = snapshot.lease?.key
        }
    }

    /// The newest snapshot as text: a thousand clients that come at once cost one.
    private struct Snapshot {
        let mark: LeaseJournal.Mark
        let own: SubnetKey?
        let buffer: ByteBuffer
    }

    private let status: NodeStatus
    private let catalog: LeaseCatalog
    private let logger: Logger
    private let heartbeat: Duration
    private let state = Mutex(State())
    private let snapshots = Mutex<[LeaseFilter: Snapshot]>([:])
    /// Of how many filters the text of all leases is kept.
    private static let snapshotLimit = 8

    /// More than the thousand, fewer than the connections there may be.
    static let clientLimit = 2048

    init(status: NodeStatus, catalog: LeaseCatalog, logger: Logger, heartbeat: Duration = .seconds(15)) {
        self.status = status
        self.catalog = catalog
        self.logger = logger
        self.heartbeat = heartbeat
    }

    var clientCount: Int { state.withLock { $0.clients.count } }

    /// Runs until shutdown; then every stream ends.
    func run() async {
        let start = status.read { Position($0) }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                var position = start
                for await _ in status.leaseSignals.cancelOnGracefulShutdown() { deliver(from: &position) }
            }
            group.addTask { [self] in
                var beat = ServerSentEvents(capacity: 16)
                beat.comment("alive")
                let chunk = EventStreamClient.Chunk(mark: nil, buffer: beat.buffer)
                while (try? await Task.sleep(for: heartbeat)) != nil { give { $0.beat(chunk) } }
            }
            await group.next()
            group.cancelAll()
        }
        let clients = state.withLock { state in
            state.isOver = true
            defer { state.clients = [:] }
            return state.clients
        }
        clients.values.forEach { $0.close() }
    }

    /// Lets a client in; from now on it is given what happens.
    func join(_ filter: LeaseFilter = .none) throws(APIProblem) -> EventStreamClient {
        let client = EventStreamClient(filter: filter)
        let isIn = state.withLock { state in
            guard !state.isOver, state.clients.count < Self.clientLimit else { return false }
            state.clients[ObjectIdentifier(client)] = client
            return true
        }
        guard isIn else {
            throw APIProblem(
                status: .serviceUnavailable, title: "Too many event streams",
                detail: "\(Self.clientLimit) event streams are open, or the daemon is stopping; try again later",
                headers: [.retryAfter: "5"])
        }
        return client
    }

    func leave(_ client: EventStreamClient) {
        client.close()
        _ = state.withLock { $0.clients.removeValue(forKey: ObjectIdentifier(client)) }
    }

    /// What a client that has just joined is told first, and up to which revision that is: what it missed since the
    /// last event it has, or every lease.
    func greeting(after last: Revision?, filter: LeaseFilter) throws(APIProblem) -> EventStreamClient.Chunk {
        if let last, let missed = missed(after: last, filter) { return missed }
        let index = try catalog.current()
        let own = status.read { $0.lease?.key }
        let buffer = snapshots.withLock { known in
            if let known = known[filter], known.mark == index.mark, known.own == own { return known.buffer }
            var events = ServerSentEvents(capacity: filter.isEmpty ? index.leases.count * 400 + 256 : 4096)
            events.snapshot(index, filter: filter, own: own)
            let buffer = events.buffer
            if known.count >= Self.snapshotLimit { known = [:] }
            known[filter] = Snapshot(mark: index.mark, own: own, buffer: buffer)
            return buffer
        }
        return EventStreamClient.Chunk(mark: index.mark, buffer: buffer)
    }

    private func missed(after last: Revision, _ filter: LeaseFilter) -> EventStreamClient.Chunk? {
        let found = status.read { snapshot in
            snapshot.journal.entries(after: last).map { (Array($0), snapshot.journal.mark, snapshot.lease?.key) }
        }
        guard let (entries, mark, own) = found else { return nil }
        var events = ServerSentEvents(capacity: entries.count * 512 + 32)
        events.comment("resumed")
        for entry in entries { events.entry(entry, filter: filter, own: own) }
        return EventStreamClient.Chunk(mark: mark, buffer: events.buffer)
    }

    private func deliver(from position: inout Position) {
        // The text of all leases is not kept longer than it is true.
        snapshots.withLock { $0 = [:] }
        let before = position
        let (now, entries, relit) = status.read { snapshot in
            let now = Position(snapshot)
            let isSame = now.mark.generation == before.mark.generation
            let entries = isSame ? snapshot.journal.entries(after: before.mark.revision) : nil
            let relit = before.own == now.own ? [] : [before.own, now.own].compactMap(\.self)
            return (now, entries.map(Array.init), relit.compactMap { snapshot.leases[$0] })
        }
        position = now
        guard clientCount > 0 else { return }
        guard let entries else {
            tell { try? greeting(after: nil, filter: $0) }
            return
        }
        if !entries.isEmpty {
            tell { filter in
                var events = ServerSentEvents(capacity: entries.count * 512)
                for entry in entries { events.entry(entry, filter: filter, own: now.own) }
                return events.isEmpty ? nil : EventStreamClient.Chunk(mark: now.mark, buffer: events.buffer)
            }
        }
        if !relit.isEmpty {
            tell { filter in
                var events = ServerSentEvents()
                for lease in relit where filter.admits(lease) { events.relight(lease, own: now.own) }
                // Of no place in the history: also who knows the newest lease must hear of its new light.
                return events.isEmpty ? nil : EventStreamClient.Chunk(mark: nil, buffer: events.buffer)
            }
        }
    }

    /// What all clients with one filter are told is made once.
    private func tell(_ make: (LeaseFilter) -> EventStreamClient.Chunk?) {
        var made: [LeaseFilter: EventStreamClient.Chunk?] = [:]
        give { client in
            let chunk: EventStreamClient.Chunk?
            if let known = made[client.filter] {
                chunk = known
            } else {
                chunk = make(client.filter)
                made.updateValue(chunk, forKey: client.filter)
            }
            guard let chunk else { return true }
            return client.give(chunk)
        }
    }

    private func give(_ body: (EventStreamClient) -> Bool) {
        let clients = state.withLock { Array($0.clients.values) }
        let slow = clients.filter { !body($0) }
        guard !slow.isEmpty else { return }
        logger.info("event streams are cut off: their clients do not read", metadata: ["clients": "\(slow.count)"])
        state.withLock { state in
            for client in slow { state.clients[ObjectIdentifier(client)] = nil }
        }
    }
}
