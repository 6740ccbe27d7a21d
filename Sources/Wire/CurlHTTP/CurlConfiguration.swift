// SPDX-License-Identifier: Apache-2.0

/// What holds for all requests of one client.
package struct CurlConfiguration: Hashable, Sendable {
    /// How `https` servers are verified and how we prove ourselves to them; `nil` for the system's roots and no proof.
    package var tls: CurlTLS?
    /// How many idle connections are kept for later requests.
    package var idleConnections: Int
    /// How many bytes of lines a stream holds for a slow consumer before its transfer is paused.
    package var streamBuffer: Int
    /// The longest line a stream accepts.
    package var maximumLineLength: Int

    package init(
        tls: CurlTLS? = nil, idleConnections: Int = 16, streamBuffer: Int = 1 << 20, maximumLineLength: Int = 16 << 20
    ) {
        self.tls = tls
        self.idleConnections = idleConnections
        self.streamBuffer = streamBuffer
        self.maximumLineLength = maximumLineLength
    }
}
