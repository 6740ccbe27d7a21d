// SPDX-License-Identifier: Apache-2.0

import Glibc
import Hummingbird
import HummingbirdCore
import IPAddressing
package import Leases
package import Logging
import NIOCore
package import NodeAgent
import ServiceLifecycle

/// The REST endpoint (openapi.yaml): reads what the node has published, and asks nobody.
package struct NodeAPIServer: Service {
    private let listen: ListenAddress
    private let logger: Logger
    let endpoints: [Endpoint]
    let broadcast: LeaseBroadcast
    let connections = OpenConnections()

    /// How long requests that are being answered may take to end after the daemon was told to stop; then their
    /// connections are cut. The daemon itself has 1.8 s.
    private static let stopTime = Duration.milliseconds(700)

    package init(
        status: NodeStatus, store: some LeaseStore, listen: ListenAddress, version: String, logger: Logger
    ) {
        self.listen = listen
        self.logger = logger
        let catalog = LeaseCatalog(status: status)
        broadcast = LeaseBroadcast(status: status, catalog: catalog, logger: logger)
        endpoints =
            LeaseRoutes(
                status: status, store: store, catalog: catalog, events: EventStreamRoute(broadcast: broadcast),
                version: version
            ).endpoints
            + NodeRoutes(status: status, catalog: catalog, version: version).endpoints
            + HealthRoutes(status: status).endpoints + ContractRoutes().endpoints
    }

    /// Every method and path that is answered, as in openapi.yaml; without `HEAD` and `OPTIONS`, which all have.
    package var routes: [(method: String, path: String)] { endpoints.map { ($0.method.rawValue, $0.path) } }

    /// What `/openapi.yaml` answers.
    package static var contractText: [UInt8] { ContractRoutes.contractText }

    package func run() async throws { try await run { _ in } }

    /// Runs until shutdown; tells where it listens once it does, also where that is nowhere. Throws ``ListenError``
    /// where it can't.
    package func run(whenListening: @escaping @Sendable (ListenAddress) -> Void) async throws {
        switch listen {
        case .none:
            whenListening(listen)
            try? await gracefulShutdown()
        case .tcp(let address, let port):
            try await serve(at: .hostname("\(address)", port: Int(port))) { channel in
                let bound = ListenAddress.tcp(address, port: UInt16(channel.localAddress?.port ?? Int(port)))
                logger.notice("REST endpoint listens", metadata: ["address": "\(bound)"])
                whenListening(bound)
            }
        case .unix(let path):
            let file = SocketFile(path: path)
            try file.makeRoom()
            defer { file.remove() }
            try await serve(at: .unixDomainSocket(path: path)) { _ in
                do {
                    try file.restrict()
                } catch {
                    logger.warning("\(error)")
                }
                logger.notice("REST endpoint listens", metadata: ["address": "\(listen)"])
                whenListening(listen)
            }
        }
    }

    private func serve(
        at address: BindAddress, whenListening: @escaping @Sendable (any Channel) async -> Void
    ) async throws {
        let application = application(at: address, whenListening: whenListening)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                group.addTask {
                    try await gracefulShutdown()
                    try await Task.sleep(for: Self.stopTime)
                    logger.info("connections that are still open are cut off")
                    connections.closeAll()
                }
                group.addTask {
                    await broadcast.run()
                    // The endpoint ends the group, not this: at shutdown it is still busy with the last bytes.
                    try await Task.sleep(for: .seconds(86_400))
                }
                try await group.next()
                group.cancelAll()
            }
        } catch let error as IOError {
            throw error.errnoCode == EADDRINUSE
                ? ListenError.portInUse(listen)
                : ListenError.cannotBind(listen, reason: SocketFile.text(of: error.errnoCode))
        }
    }

    /// The endpoint without a network, for tests.
    func application(
        at address: BindAddress = .hostname("127.0.0.1", port: 0),
        whenListening: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) -> Application<RouterResponder<APIRequestContext>> {
        let router = Router(context: APIRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware(table: EndpointTable(endpoints)))
        for endpoint in endpoints {
            router.on(RouterPath(endpoint.path), method: endpoint.method, use: endpoint.handler)
        }
        // What Hummingbird says of itself at info is said above in our own words.
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .notice }
        return Application(
            router: router,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [OpenConnections.Handler(connections)],
                    idleTimeout: .seconds(60),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: address, availableConnectionsDelegate: .maximum(4096, logger: quiet)),
            onServerRunning: whenListening, logger: quiet)
    }
}
