// SPDX-License-Identifier: Apache-2.0

/// A revision up to which everything about some keys is known, with what it takes to recognise that history.
///
/// An etcd that was restored from a snapshot goes on counting from the snapshot's revision, under the same cluster
/// number where the operator gave the same names. By the time somebody comes back it may be past the revision seen
/// last, and a watch from there would say nothing of what changed. So the mark remembers the election term, which
/// starts anew in a restored cluster, and the last write and the last delete: a history in which they did not happen
/// is another one.
package struct HistoryMark: Hashable, Sendable {
    /// Everything up to here is known.
    package private(set) var revision: Int64
    private let clusterID: UInt64
    private let raftTerm: UInt64
    /// The key written last and the revision that wrote it, while it stands.
    private var writtenKey: [UInt8] = []
    private var writtenRevision: Int64 = 0
    /// The key deleted last, while it is gone.
    private var deletedKey: [UInt8] = []

    /// - Parameter header: of the answer that everything is known from.
    package init(_ header: ResponseHeader) {
        revision = header.revision
        clusterID = header.clusterID
        raftTerm = header.raftTerm
    }

    /// Takes in a key that the answer held.
    package mutating func listed(_ keyValue: KeyValue) {
        if keyValue.modRevision > writtenRevision { written(keyValue.key, keyValue.modRevision) }
    }

    /// Takes in what happened since.
    mutating func happened(_ event: WatchEvent) {
        switch event {
        case .put(let keyValue): written(keyValue.key, keyValue.modRevision)
        case .delete(let key, _):
            deletedKey = key
            if writtenKey == key { (writtenKey, writtenRevision) = ([], 0) }
        }
        revision = max(revision, event.modRevision)
    }

    /// Nothing more happened up to there.
    mutating func advance(to revision: Int64) { self.revision = max(self.revision, revision) }

    private mutating func written(_ key: [UInt8], _ revision: Int64) {
        (writtenKey, writtenRevision) = (key, revision)
        if deletedKey == key { deletedKey = [] }
    }

    /// Whether an answer can't be of that history: the cheap half of the proof.
    package func isContradicted(by header: ResponseHeader) -> Bool {
        header.revision < revision || header.raftTerm < raftTerm || header.clusterID != clusterID
    }

    /// The question for the other half: what was written and deleted last, as of the mark.
    func question(about keys: KeyRange) -> Transaction {
        let asked = [writtenKey, deletedKey].map { $0.isEmpty ? keys.start : $0 }
        return Transaction(
            when: [],
            then: asked.map { key in
                var request = RangeRequest(KeyRange(start: key, end: []))
                request.revision = revision
                return .range(request)
            })
    }

    func isConfirmed(by answer: TransactionResponse) -> Bool {
        guard answer.ranges.count == 2, !isContradicted(by: answer.header) else { return false }
        let isWritten = writtenKey.isEmpty || answer.ranges[0].keyValues.first?.modRevision == writtenRevision
        return isWritten && (deletedKey.isEmpty || answer.ranges[1].keyValues.isEmpty)
    }
}

/// What became of a history.
package enum HistoryVerdict: Hashable, Sendable {
    case same
    case other
    /// The mark was compacted away.
    case compacted
}

extension EtcdClient {
    /// Compares a mark with what etcd as a whole, not one member of it, holds.
    package func compare(_ mark: HistoryMark, of keys: KeyRange) async throws(EtcdError) -> HistoryVerdict {
        do {
            return mark.isConfirmed(by: try await transact(mark.question(about: keys))) ? .same : .other
        } catch {
            guard case .status(.outOfRange, let message) = error.cause else { throw error }
            // The other one is "required revision is a future revision".
            return message.contains("compacted") ? .compacted : .other
        }
    }
}
