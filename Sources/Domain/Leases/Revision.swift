// SPDX-License-Identifier: Apache-2.0

/// A point in etcd's history: the counter that grows by one with every transaction that writes.
///
/// Two revisions of one history can be compared. After a restore from a snapshot they run backwards: another history,
/// which the feed notices (``SnapshotPart/startsHistory``).
package struct Revision: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    /// Before anything was written.
    package static var zero: Self { Self(0) }

    package var next: Self { Self(value + 1) }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    package var description: String { String(value) }
}
