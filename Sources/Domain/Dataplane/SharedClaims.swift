// SPDX-License-Identifier: Apache-2.0

/// Who wants an entry how, where several may want the same one: the claim of the highest rank holds, and when it is
/// released, the next. Nearly every entry has a single claim, which costs no allocation of its own.
struct SharedClaims<
    Key: Hashable & Sendable, Owner: Hashable & Comparable & Sendable, Rank: Comparable & Sendable, Value
>:
    Sendable
where Value: Hashable & Sendable {
    private struct Claim {
        let owner: Owner
        let rank: Rank
        let value: Value

        func outranks(_ other: Claim) -> Bool { rank == other.rank ? owner < other.owner : rank > other.rank }
    }

    private var top: [Key: Claim] = [:]
    /// Claims behind the top one, in no order.
    private var others: [Key: [Claim]] = [:]

    func value(_ key: Key) -> Value? { top[key]?.value }

    /// Everybody who wants the entry.
    func owners(_ key: Key) -> [Owner] {
        guard let first = top[key] else { return [] }
        return [first.owner] + (others[key] ?? []).map(\.owner)
    }

    /// A second claim of one owner takes the place of the first.
    mutating func claim(_ key: Key, _ value: Value, rank: Rank, for owner: Owner) {
        let claim = Claim(owner: owner, rank: rank, value: value)
        guard let first = top.updateValue(claim, forKey: key) else { return }
        guard first.owner != owner || others[key] != nil else { return }
        var all = (others[key] ?? []) + [first]
        all.removeAll { $0.owner == owner }
        all.append(claim)
        settle(key, all)
    }

    /// A claim that was not made, or was made for another value, is not there to be released.
    mutating func release(_ key: Key, _ value: Value, for owner: Owner) {
        guard let first = top[key] else { return }
        guard let rest = others[key] else {
            if first.owner == owner, first.value == value { top[key] = nil }
            return
        }
        settle(key, (rest + [first]).filter { $0.owner != owner || $0.value != value })
    }

    private mutating func settle(_ key: Key, _ claims: [Claim]) {
        guard let best = claims.indices.min(by: { claims[$0].outranks(claims[$1]) }) else { return }
        var rest = claims
        top[key] = rest.remove(at: best)
        others[key] = rest.isEmpty ? nil : rest
    }
}
