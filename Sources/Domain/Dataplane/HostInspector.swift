// SPDX-License-Identifier: Apache-2.0

/// Looks at the host, and lets it forward: the port behind the checks before and during operation.
package protocol HostInspector: Sendable {
    /// Reads only.
    func facts() async throws(DataplaneError) -> HostFacts

    /// Sets `net.ipv4.ip_forward`, and for IPv6 `net.ipv6.conf.all.forwarding`. A host that forwards IPv6 no longer
    /// listens to router advertisements unless it is told to (accept_ra 2), so the underlay is told to where it did.
    func enableForwarding(ipv6: Bool, underlay: String) async throws(DataplaneError)
}
