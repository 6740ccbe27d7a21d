// SPDX-License-Identifier: Apache-2.0

/// Who wants an entry how, where several may want the same one: the newest claim holds, and when it is released, the
/// one before it. Nearly every entry has a single claim, which costs no allocation of its own.
struct SharedClaims<Key: Hashable & Sendable, Owner: Hashable & Sendable, Value: Hashable & Sendable>: Sendable {
    private struct Claim {
        let owner: Owner
        let value: Value
    }

    private var newest: [Key: Claim] = [:]
    /// Claims behind the newest, oldest first.
    private var older: [Key: [Claim]] = [:]

    func newest(_ key: Key) -> Value? { newest[key]?.value }

    /// A second claim of one owner takes the place of the first.
    mutating func claim(_ key: Key, _ value: Value, for owner: Owner) {
        let claim = Claim(owner: owner, value: value)
        guard let before = newest.updateValue(claim, forKey: key), before.owner != owner else { return }
        older[key, default: []].removeAll { $0.owner == owner }
        older[key, default: []].append(before)
    }

    /// A claim that was not made, or was made for another value, is not there to be released.
    mutating func release(_ key: Key, _ value: Value, for owner: Owner) {
        guard let top = newest[key] else { return }
        if top.owner == owner {
            guard top.value == value else { return }
            newest[key] = older[key]?.popLast()
        } else {
            guard older[key] != nil else { return }
            older[key]?.removeAll { $0.owner == owner && $0.value == value }
        }
        if older[key]?.isEmpty ?? false { older[key] = nil }
    }
}
