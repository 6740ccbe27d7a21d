// SPDX-License-Identifier: Apache-2.0

import CHost
import Dataplane
import Etcd
import EtcdStore
import IPAddressing
import Leases
import LinuxDataplane
import Logging
import NodeAPI
import NodeAgent
import ServiceLifecycle
import UnixSignals

/// Where the daemon's parts are put together, and the only place that knows all of them.
struct Assembly {
    let configuration: DaemonConfiguration
    let notifier: SystemdNotifier
    let logger: Logger

    func run() async throws {
        // First of all: what can't be used is wrong configuration, whatever else there is to say.
        let access = try APIAccess(configuration.access)
        guard configuration.leasesForItself else { return try await runAuthority(access) }
        let host = try LinuxDataplaneDriver()
        switch configuration.dataplane {
        case .netlink:
            guard Privileges.hasNetAdmin ?? true else {
                throw DataplaneError(
                    remedy: .notPermitted,
                    description: "programming the host needs CAP_NET_ADMIN; run as root, or lease only with "
                        + "--dataplane none")
            }
            try await run(driver: host, access: access)
        case .none: try await run(driver: NullDataplane(host: host), access: access)
        }
    }

    /// etcd, with every exchange counted.
    func client(_ metrics: NodeMetrics) -> EtcdClient {
        EtcdClient(configuration: configuration.etcd, logger: logger) { exchange in
            metrics.etcdExchange(
                operation: exchange.operation, outcome: exchange.outcome.rawValue, took: exchange.took)
        }
    }

    private func run(driver: some DataplaneDriver, access: APIAccess) async throws {
        let underlay = try await driver.underlay(configuration.underlay)
        let identity = try await identity(driver: driver, underlay: underlay)
        let metrics = NodeMetrics()
        let client = client(metrics)
        let store = EtcdLeaseStore(client: client, keys: configuration.keys)
        let status = NodeStatus(
            node: configuration.node, clock: MonotonicClock(), configKey: configuration.keys.config, metrics: metrics)
        status.update { snapshot in
            snapshot.publicIP = IPv4Address.publicIP(of: underlay)
            snapshot.publicIPv6 = IPv6Address.publicIP(of: underlay)
            snapshot.leaseTTL = configuration.leaseTTL
        }
        let holderInbox = LeaseHolderInbox()
        let reconcilerInbox = ReconcilerInbox()
        let carriesTraffic = configuration.dataplane == .netlink
        let publication = SubnetPublication(configuration.subnetFile)

        let api = NodeAPIServer(
            status: status, store: store, listeners: configuration.listeners, access: access,
            version: Version.text, leaseTTL: configuration.leaseTTL, logger: logger)
        let watcher = PeerWatcher(
            store: store, status: status, holder: holderInbox, reconciler: reconcilerInbox, logger: logger,
            // By now the endpoint and the client are set up: what that took makes room for what the leases take.
            whenFirstRead: { chost_release_code() })
        let holder = LeaseHolder(
            store: store,
            settings: LeaseHolderStateMachine.Settings(
                identity: identity, carriesTraffic: carriesTraffic, ttl: configuration.leaseTTL,
                whenLost: configuration.whenLost),
            status: status, inbox: holderInbox, reconciler: reconcilerInbox,
            releasesOnShutdown: configuration.whenStopped == .release,
            seed: UInt64.random(in: 0 ... .max), logger: logger,
            remember: { key in
                publication.regain(key)
                remember(mac: identity.mac, subnet: key)
            },
            forfeit: { try publication.forfeit($0) })
        let host = carriesTraffic ? try HostServices(configuration, status, underlay, logger) : nil
        let announcer = announcer(status)
        let reconciler = Reconciler(
            driver: driver,
            settings: .init(
                node: configuration.node, underlay: underlay, mac: identity.mac ?? MACAddress(bits: 0),
                device: configuration.device, masquerade: configuration.masquerade && carriesTraffic,
                carriesTraffic: carriesTraffic, withdrawsOnShutdown: configuration.whenStopped != .keep,
                selection: configuration.underlay, resync: configuration.resync),
            status: status, inbox: reconcilerInbox, logger: logger, holder: holderInbox,
            whenMoved: {
                client.renewConnections()
                host?.checker.check()
            },
            forfeitSubnet: { try publication.repeatLoss(of: $0) },
            publishSubnet: { file in
                // What the file promises is true before it is there to be read.
                try await host?.masquerader?.prepare(Masquerade(file))
                guard try publication.publish(file) else { return false }
                await announcer?.announce()
                tell(of: file, counters: client.counters)
                host?.checker.check()
                return true
            })

        logger.notice(
            "tartand starts",
            metadata: [
                "version": "\(Version.text)", "node": "\(configuration.node)", "publicIP": "\(underlay.publicIP)",
                "publicIPv6": "\(IPv6Address.publicIP(of: underlay).map { "\($0)" } ?? "none")",
                "etcd": "\(configuration.etcd.endpoints.joined(separator: ","))",
                "prefix": "\(configuration.keys.prefix)",
            ])
        let stopLimit = StopLimit(notifier: notifier, logger: logger)
        let programming = AfterListening(reconciler)
        let holding = AfterListening(holder)
        let listening = ListeningAPI(server: api) {
            programming.open()
            holding.open()
        }
        // They stop from the last to the first: the kernel's part is quick, and the lease's release may take all the
        // time that is left, where etcd does not answer.
        let services =
            [listening, holding] as [any Service] + (host?.services ?? []) + (announcer.map { [$0] } ?? [])
            + [programming, watcher] + watchdog(status, [LoopPulse(of: holderInbox), LoopPulse(of: reconcilerInbox)])
            + [stopLimit]
        // At debug it writes whole services out, with everything that is in them.
        var groupLogger = logger
        groupLogger.logLevel = max(logger.logLevel, .info)
        let group = ServiceGroup(
            configuration: .init(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: groupLogger))
        await host?.forgetMasquerading(logger: logger)
        // Half of what is resident by now is code that options, files and the linker needed, once.
        chost_release_code()
        try await group.run()
        await client.shutdown()
    }

    /// None where no service manager waits for a sign of life.
    func watchdog(_ status: NodeStatus, _ loops: [LoopPulse]) -> [any Service] {
        guard let interval = notifier.watchdogInterval else { return [] }
        return [
            Watchdog(loops: loops, interval: interval, clock: status.clock, logger: logger) { notifier.alive() }
        ]
    }

    /// Who this node is: what it remembers, and what the host still has of it.
    private func identity(driver: some DataplaneDriver, underlay: Underlay) async throws -> NodeIdentity {
        let memory = NodeMemory(directory: configuration.stateDirectory, node: configuration.node)
        let known = memory.read()
        var mac: MACAddress?
        if configuration.dataplane == .netlink {
            let there = try await driver.keptMAC(chosen: configuration.device)
            mac = known.mac ?? there
            let made = mac ?? MACAddress(locallyAdministered: .random(in: 0 ... .max))
            mac = made
            if known.mac != made { remember(mac: made, subnet: known.subnet) }
        }
        let preferred = AtomicFile(configuration.subnetFile).contents().flatMap(SubnetFile.rememberedSubnet(in:))
        return NodeIdentity(
            node: configuration.node, publicIP: underlay.publicIP,
            publicIPv6: IPv6Address.publicIP(of: underlay), remembered: known.subnet,
            preferred: preferred, mac: mac)
    }

    private func remember(mac: MACAddress?, subnet: SubnetKey?) {
        let memory = NodeMemory(directory: configuration.stateDirectory, node: configuration.node)
        let known = memory.read()
        // One that only leases has no MAC address, and does not forget the one that it had.
        guard known != (mac ?? known.mac, subnet) else { return }
        do {
            try memory.write(mac: mac ?? known.mac, subnet: subnet)
        } catch {
            logger.warning(
                "what this node is can't be noted for its next start; check --state-dir",
                metadata: ["error": "\(error)"])
        }
    }

    /// `nil` without `--cni-conflist`.
    private func announcer(_ status: NodeStatus) -> CNIAnnouncer? {
        guard let conflist = configuration.conflist else { return nil }
        return CNIAnnouncer(status: status, resync: configuration.resync, logger: logger, put: conflist.put)
    }

    private func tell(of file: SubnetFile, counters: EtcdCounters) {
        logger.notice(
            "subnet published",
            metadata: [
                "file": "\(configuration.subnetFile)", "subnet": "\(file.subnets)", "mtu": "\(file.mtu)",
                "etcdRequests": "\(counters.unaryTotal)",
            ])
        notifier.ready(file.subnets)
        chost_release_code()
        chost_release_memory()
    }
}
