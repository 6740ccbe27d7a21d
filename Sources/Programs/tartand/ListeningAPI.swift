// SPDX-License-Identifier: Apache-2.0

import NodeAPI
import ServiceLifecycle

/// The REST endpoint, which says when it listens.
struct ListeningAPI: Service {
    let server: NodeAPIServer
    let whenListening: @Sendable () -> Void

    func run() async throws { try await server.run { _ in whenListening() } }
}
