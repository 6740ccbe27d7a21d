// SPDX-License-Identifier: Apache-2.0

/// A grant as etcd gave it.
package struct Grant: Hashable, Sendable {
    package let id: GrantID
    /// How long it lives without a renewal; etcd may give more than was asked for, never less than a second.
    package let ttl: Duration

    package init(id: GrantID, ttl: Duration) {
        self.id = id
        self.ttl = ttl
    }
}
