// SPDX-License-Identifier: Apache-2.0

/// The host's rules for packets that leave the cluster: a port beside ``DataplaneDriver``, because it is another part
/// of the kernel and because a node may do without.
///
/// Each call is idempotent and touches one table of our own; what others have is left alone.
package protocol MasqueradeDriver: Sendable {
    /// Whether our table is there, complete and unaltered.
    func has(_ masquerade: Masquerade) async throws(DataplaneError) -> Bool

    /// Puts our table in place of whatever is there under its name, at one moment for all packets.
    func apply(_ masquerade: Masquerade) async throws(DataplaneError)

    /// Takes our table away. Connections that are masqueraded already lose their way back.
    func withdraw() async throws(DataplaneError)

    /// An element whenever our table may have been changed, by whomever; any number of changes may share one.
    func changes() async throws(DataplaneError) -> AsyncStream<Void>
}
