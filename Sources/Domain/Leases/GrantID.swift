// SPDX-License-Identifier: Apache-2.0

/// The number of a grant, etcd's TTL object (etcd itself calls it a lease), to which keys are attached.
///
/// | word | means |
/// | --- | --- |
/// | ``Lease`` | a node's hold on a subnet: a key and its value |
/// | grant | how long etcd keeps the keys attached to it without hearing from their holder |
package struct GrantID: Hashable, Sendable, CustomStringConvertible {
    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    /// Sixteen hexadecimal digits at most, as etcdctl prints it.
    package var description: String { String(UInt64(bitPattern: value), radix: 16) }
}
