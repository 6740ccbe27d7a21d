// SPDX-License-Identifier: Apache-2.0

import Etcd
import EtcdStore
import Leases
import Synchronization

/// What etcd says of the leases' keys, followed by the test itself through every fault.
final class EtcdHistory: Sendable {
    struct Entry: Hashable, Sendable {
        let owner: String
        let createRevision: Int64
        let grant: Int64
    }

    struct Change: Sendable {
        let at: Int64
        let key: String
        /// `nil`: deleted.
        let owner: String?
    }

    private struct State {
        /// By the last element of the key: `10.244.7.0-24`.
        var current: [String: Entry] = [:]
        var changes: [Change] = []
        var violations: [String] = []
        var isReplacing = false
        var replacements = 0
        var compactions = 0
    }

    private let state = Mutex(State())
    private let client: EtcdClient
    private let prefix: String

    init(client: EtcdClient, prefix: String) {
        self.client = client
        self.prefix = "\(prefix)/subnets/"
    }

    var current: [String: Entry] { state.withLock { $0.current } }
    var changes: [Change] { state.withLock { $0.changes } }
    var violations: [String] { state.withLock { $0.violations } }
    /// How often the watch noticed that etcd had another history, or none of what it wanted.
    var breaks: (replaced: Int, compacted: Int) { state.withLock { ($0.replacements, $0.compactions) } }

    func key(of owner: String) -> (name: String, entry: Entry)? {
        current.first { $0.value.owner == owner }.map { ($0.key, $0.value) }
    }

    func path(_ name: String) -> String { prefix + name }

    /// All members are stopped and will come back with an older history: what the next list says need not follow
    /// from what was.
    func expectReplacement() { state.withLock { $0.isReplacing = true } }

    /// Follows until cancelled.
    func follow() async {
        let keys = KeyRange(prefix: prefix)
        while !Task.isCancelled {
            do {
                let answer = try await client.range(RangeRequest(keys))
                var mark = HistoryMark(answer.header)
                for keyValue in answer.keyValues { mark.listed(keyValue) }
                listed(answer.keyValues)
                for try await notice in client.watch(keys, after: mark) { take(notice) }
            } catch {
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private func take(_ notice: WatchNotice) {
        switch notice {
        case .events(let events, _): for event in events { happened(event) }
        case .compacted: state.withLock { $0.compactions += 1 }
        case .replaced: state.withLock { $0.replacements += 1 }
        case .opened, .interrupted: break
        }
    }

    func happened(_ event: WatchEvent) {
        state.withLock { state in
            switch event {
            case .put(let keyValue):
                let (name, entry) = read(keyValue)
                if let old = state.current[name], old.owner != entry.owner {
                    state.violations.append("\(name) went from \(old.owner) to \(entry.owner) without a delete")
                }
                note(name, entry, in: &state)
            case .delete(let key, _): note(name(key), nil, in: &state)
            }
        }
    }

    /// What a list says happened since: a key that another node holds must have been made anew.
    func listed(_ keyValues: [KeyValue]) {
        state.withLock { state in
            let found = Dictionary(uniqueKeysWithValues: keyValues.map(read))
            for (name, entry) in found {
                if let old = state.current[name], old.owner != entry.owner, !state.isReplacing,
                    old.createRevision == entry.createRevision
                {
                    state.violations.append("\(name) went from \(old.owner) to \(entry.owner) without a delete")
                }
                if state.current[name] != entry { note(name, entry, in: &state) }
            }
            for name in state.current.keys where found[name] == nil { note(name, nil, in: &state) }
            state.isReplacing = false
        }
    }

    private func note(_ name: String, _ entry: Entry?, in state: inout State) {
        state.current[name] = entry
        state.changes.append(Change(at: Moment.now, key: name, owner: entry?.owner))
    }

    private func name(_ key: [UInt8]) -> String { String(decoding: key.dropFirst(prefix.utf8.count), as: UTF8.self) }

    private func read(_ keyValue: KeyValue) -> (String, Entry) {
        let announcement = try? LeaseAnnouncement(json: keyValue.value)
        return (
            name(keyValue.key),
            Entry(
                owner: announcement?.node?.name ?? "unreadable", createRevision: keyValue.createRevision,
                grant: keyValue.lease)
        )
    }

    /// When a node had no key at all, as far as was seen.
    func absences(of owner: String) -> [Range<Int64>] {
        var held: Set<String> = []
        var since: Int64?
        var found: [Range<Int64>] = []
        for change in changes {
            let hadOne = !held.isEmpty
            if change.owner == owner { held.insert(change.key) } else { held.remove(change.key) }
            if hadOne, held.isEmpty { since = change.at }
            if let start = since, !held.isEmpty {
                found.append(start..<change.at + 1)
                since = nil
            }
        }
        if let since { found.append(since..<Int64.max) }
        return found
    }
}
