// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Etcd
import EtcdStore
import Leases
import Logging
import NodeAPI
import NodeAgent
import ServiceLifecycle
import UnixSignals

extension Assembly {
    /// A daemon that leases to others over REST, has no subnet itself and touches nothing of the host's.
    func runAuthority(_ access: APIAccess) async throws {
        let metrics = NodeMetrics()
        let client = client(metrics)
        let store = EtcdLeaseStore(client: client, keys: configuration.keys)
        let status = NodeStatus(
            node: configuration.node, clock: MonotonicClock(), configKey: configuration.keys.config, metrics: metrics)
        status.update { $0.publicIP = configuration.underlay.publicIP }
        let inbox = LeaseHolderInbox()
        let api = NodeAPIServer(
            status: status, store: store, listeners: configuration.listeners, access: access,
            version: Version.text, leaseTTL: configuration.leaseTTL, logger: logger)
        let bystander = LeaseBystander(store: store, status: status, inbox: inbox, logger: logger)
        let watcher = PeerWatcher(
            store: store, status: status, holder: inbox, reconciler: ReconcilerInbox(), logger: logger,
            whenFirstRead: { [notifier] in notifier.ready("authority") })
        logger.notice(
            "tartand starts as an authority: it leases to others, and nothing for itself",
            metadata: [
                "version": "\(Version.text)", "node": "\(configuration.node)",
                "etcd": "\(configuration.etcd.endpoints.joined(separator: ","))",
                "prefix": "\(configuration.keys.prefix)",
            ])
        let stopLimit = StopLimit(notifier: notifier, logger: logger)
        let listening = ListeningAPI(server: api) {}
        let services: [any Service] =
            [listening, bystander, watcher] + watchdog(status, [LoopPulse(of: inbox)]) + [stopLimit]
        var groupLogger = logger
        groupLogger.logLevel = max(logger.logLevel, .info)
        let group = ServiceGroup(
            configuration: .init(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: groupLogger))
        try await group.run()
        await client.shutdown()
    }
}
