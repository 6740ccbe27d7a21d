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
    private let listeners: [APIListener]
    private let access: APIAccess
    private let logger: Logger
    let endpoints: [Endpoint]
    let broadcast: LeaseBroadcast
    let authority: LeaseAuthority
    let connections: OpenConnections
    /// How often the files of ``APIAccess`` are looked at; a change is in use two looks later.
    var reloadInterval = Duration.seconds(1)
    private let limits: ConnectionLimits
    private let table: EndpointTable
    private let metrics: NodeMetrics
    /// What was answered a moment ago, where it does not matter who asks.
    let memo: ResponseMemo?
    let metricsRoute: MetricsRoute

    /// How long requests that are being answered may take to end after the daemon was told to stop; then their
    /// connections are cut. The daemon itself has 1.8 s.
    private static let stopTime = Duration.milliseconds(700)

    /// - Parameter leaseTTL: of leases that others ask for without saying one.
    package init(
        status: NodeStatus, store: some LeaseAuthorityStore, listeners: [APIListener],
        access: APIAccess = APIAccess(), version: String, leaseTTL: Duration = .seconds(86_400), logger: Logger
    ) {
        self.init(
            status: status, store: store, listeners: listeners, access: access, version: version, leaseTTL: leaseTTL,
            logger: logger, limits: ConnectionLimits())
    }

    init(
        status: NodeStatus, store: some LeaseAuthorityStore, listeners: [APIListener],
        access: APIAccess = APIAccess(), version: String, leaseTTL: Duration = .seconds(86_400), logger: Logger,
        limits: ConnectionLimits
    ) {
        self.listeners = listeners.filter { $0.address != .none }
        self.access = access
        self.logger = logger
        self.limits = limits
        metrics = status.metrics
        // Whoever asks in the same bytes gets the same answer only where it matters neither who nor through which door.
        let isForAll = !access.files.canAuthenticate && listeners.allSatisfy { $0.address.isLocal }
        memo = isForAll ? ResponseMemo(status: status) : nil
        connections = OpenConnections(limit: limits.connections)
        let catalog = LeaseCatalog(status: status)
        broadcast = LeaseBroadcast(status: status, catalog: catalog, logger: logger)
        metricsRoute = MetricsRoute(
            status: status, catalog: catalog, broadcast: broadcast, connections: connections, version: version)
        authority = LeaseAuthority(store: store, status: status, logger: logger)
        endpoints =
            LeaseRoutes(
                status: status, store: store, catalog: catalog, events: EventStreamRoute(broadcast: broadcast),
                version: version
            ).endpoints
            + NodeRoutes(status: status, catalog: catalog, version: version).endpoints
            + ChangeRoutes(status: status, authority: authority, catalog: catalog, leaseTTL: leaseTTL).endpoints
            + HealthRoutes(status: status).endpoints + ContractRoutes().endpoints
            + metricsRoute.endpoints
        table = EndpointTable(endpoints)
    }

    /// With one listener, and nobody who need prove anything.
    package init(
        status: NodeStatus, store: some LeaseAuthorityStore, listen: ListenAddress, version: String,
        leaseTTL: Duration = .seconds(86_400), logger: Logger
    ) {
        self.init(
            status: status, store: store, listeners: [APIListener(listen)], version: version, leaseTTL: leaseTTL,
            logger: logger)
    }

    /// Every method and path that is answered, as in openapi.yaml; without `HEAD` and `OPTIONS`, which all have.
    package var routes: [(method: String, path: String)] { endpoints.map { ($0.method.rawValue, $0.path) } }

    /// What `/openapi.yaml` answers.
    package static var contractText: [UInt8] { ContractRoutes.contractText }

    package func run() async throws { try await run { _ in } }

    /// Runs until shutdown; tells where it listens once it does everywhere, also where that is nowhere. Throws
    /// ``ListenError`` where it can't.
    package func run(whenListening: @escaping @Sendable ([ListenAddress]) -> Void) async throws {
        for warning in access.warnings { logger.warning("\(warning)") }
        guard !listeners.isEmpty else {
            whenListening([])
            try? await gracefulShutdown()
            return
        }
        let opening = Opening(count: listeners.count, whenAllListen: whenListening)
        try await withThrowingTaskGroup(of: Ended.self) { group in
            for (place, listener) in listeners.enumerated() {
                group.addTask {
                    try await run(listener) { opening.listens(at: $0, place: place) }
                    return .listener
                }
            }
            group.addTask {
                try await gracefulShutdown()
                try await Task.sleep(for: Self.stopTime)
                logger.info("connections that are still open are cut off")
                connections.closeAll()
                return .everything
            }
            group.addTask {
                await authority.run()
                return .authority
            }
            group.addTask {
                async let watching: Void = access.watch(every: reloadInterval, logger: logger)
                await broadcast.run()
                // The listeners end the group, not this: at shutdown they are still busy with the last bytes.
                try await Task.sleep(for: .seconds(86_400))
                await watching
                return .everything
            }
            // The authority has a moment to end what it left behind, and with the connections cut it is over.
            var left = listeners.count + 1
            while left > 0, let ended = try await group.next(), ended != .everything { left -= 1 }
            group.cancelAll()
        }
    }

    private enum Ended: Sendable { case listener, authority, everything }

    private func run(
        _ listener: APIListener, whenListening: @escaping @Sendable (ListenAddress) -> Void
    ) async throws {
        switch listener.address {
        case .none: break
        case .tcp(let address, let port):
            try await serve(listener, at: .hostname("\(address)", port: Int(port))) { channel in
                let bound = ListenAddress.tcp(address, port: UInt16(channel.localAddress?.port ?? Int(port)))
                tell(listener, bound)
                whenListening(bound)
            }
        case .unix(let path):
            let file = SocketFile(path: path)
            try file.makeRoom()
            defer { file.remove() }
            try await serve(listener, at: .unixDomainSocket(path: path)) { _ in
                do {
                    try file.restrict()
                } catch {
                    logger.warning("\(error)")
                }
                tell(listener, listener.address)
                whenListening(listener.address)
            }
        }
    }

    private func tell(_ listener: APIListener, _ bound: ListenAddress) {
        let needsProof = AccessMiddleware(listener, access: access).policy.needsProof
        logger.notice(
            "REST endpoint listens",
            metadata: [
                "address": "\(bound)", "tls": "\(listener.hasTLS(access.files))", "readOnly": "\(listener.isReadOnly)",
                "authentication": "\(needsProof)",
            ])
        guard !listener.address.isLocal, !needsProof || !listener.hasTLS(access.files) else { return }
        logger.warning(
            "whoever can reach the REST endpoint can use it or listen in: give it TLS, and a token or client certificates, instead of --api-insecure",
            metadata: ["address": "\(bound)", "readOnly": "\(listener.isReadOnly)"])
    }

    private func serve(
        _ listener: APIListener, at address: BindAddress, whenListening: @escaping @Sendable (any Channel) async -> Void
    ) async throws {
        do {
            try await application(for: listener, at: address, whenListening: whenListening).run()
        } catch let error as IOError {
            throw error.errnoCode == EADDRINUSE
                ? ListenError.portInUse(listener.address)
                : ListenError.cannotBind(listener.address, reason: SocketFile.text(of: error.errnoCode))
        }
    }

    /// The endpoint without a network, for tests.
    func application(
        for listener: APIListener? = nil, at address: BindAddress = .hostname("127.0.0.1", port: 0),
        whenListening: @escaping @Sendable (any Channel) async -> Void = { _ in }
    ) -> Application<RouterResponder<APIRequestContext>> {
        let router = Router(context: APIRequestContext.self, options: .autoGenerateHeadEndpoints)
        let listener = listener ?? listeners.first ?? APIListener(.none)
        router.add(middleware: ProblemMiddleware(table: table, metrics: metrics))
        router.add(middleware: AccessMiddleware(listener, access: access))
        for endpoint in endpoints {
            router.on(RouterPath(endpoint.path), method: endpoint.method, use: endpoint.handler)
        }
        // What Hummingbird says of itself at info is said above in our own words.
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .notice }
        return Application(
            router: router, server: server(for: listener),
            configuration: ApplicationConfiguration(
                address: address,
                // Some more than are served are let in to be told so; the rest waits outside.
                availableConnectionsDelegate: .maximum(limits.connections + 256, logger: quiet)),
            onServerRunning: whenListening, logger: quiet)
    }

    private func server(for listener: APIListener) -> HTTPServerBuilder {
        let number = connections.addListener()
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionGuard(
                    limits: limits, memo: memo, connections: connections, listener: number, table: table,
                    metrics: metrics)
            ],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: ConnectionLimits.fieldSize, maxHeaderListSize: ConnectionLimits.headSize,
                maxHeaderFieldCount: ConnectionLimits.fieldCount))
        guard listener.hasTLS(access.files) else { return .http1(configuration: configuration) }
        return HTTPServerBuilder { [access] responder in
            ReloadingTLSChannel(base: HTTP1Channel(responder: responder, configuration: configuration), access: access)
        }
    }
}
