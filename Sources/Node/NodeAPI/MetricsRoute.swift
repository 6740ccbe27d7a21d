// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Leases
import NodeAgent
import Synchronization

/// `GET /metrics`, in Prometheus' text format: what was counted, and how things are now.
final class MetricsRoute: Sendable {
    private let status: NodeStatus
    private let catalog: LeaseCatalog
    private let broadcast: LeaseBroadcast
    private let connections: OpenConnections
    private let version: String
    private let census = Mutex(LeaseCensus())
    private let usage = Mutex<(mark: LeaseJournal.Mark, usage: NetworkUsage)?>(nil)

    init(
        status: NodeStatus, catalog: LeaseCatalog, broadcast: LeaseBroadcast, connections: OpenConnections,
        version: String
    ) {
        self.status = status
        self.catalog = catalog
        self.broadcast = broadcast
        self.connections = connections
        self.version = version
    }

    var endpoints: [Endpoint] { [.get("/metrics") { [self] request, _ in try answer(request) }] }

    private func answer(_ request: Request) throws -> Response {
        _ = try QueryParameters(request.uri.query, allowing: [])
        // A scraper asks for what it likes best; this is what every one of them reads.
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: text().bytes)))
    }

    func text() -> MetricsText {
        var text = MetricsText()
        let now = status.clock.now
        text.family("tartan_build_info", .gauge, "Always 1; the labels say what runs.")
        text.sample("tartan_build_info", labels: MetricsText.labels([("version", version)]), 1)
        writeLeases(to: &text)
        let startedAt = status.startedAt
        text = status.read { [text] snapshot in
            var text = text
            text.node(snapshot, at: now, startedAt: startedAt)
            text.kernel(snapshot, at: now)
            return text
        }
        text.gauge("tartan_http_connections", "Open connections to the REST endpoint.", connections.count)
        text.gauge("tartan_http_event_streams", "Open event streams of leases.", broadcast.clientCount)
        status.metrics.registry.write(to: &text)
        ProcessSample.now.write(to: &text)
        return text
    }

    private func writeLeases(to text: inout MetricsText) {
        let (counted, faults, unreadable) = census.withLock { census in
            status.read { snapshot in
                census.follow(snapshot)
                var faults = (leases: 0, reservations: 0)
                for key in Set(snapshot.faults.keys).union(snapshot.ipv6Faults.keys) {
                    switch snapshot.leases[key]?.kind {
                    case .lease: faults.leases += 1
                    case .reservation: faults.reservations += 1
                    case nil: break
                    }
                }
                return (census, faults, snapshot.leases.unreadable.count)
            }
        }
        text.family(
            "tartan_leases", .gauge,
            "Leases that this node knows of, by kind and by whether it can do what they say (state ok or faulty).")
        for (kind, all, faulty) in [
            ("lease", counted.leases, faults.leases), ("reservation", counted.reservations, faults.reservations),
        ] {
            text.sample("tartan_leases", labels: "kind=\"\(kind)\",state=\"ok\"", max(0, all - faulty))
            text.sample("tartan_leases", labels: "kind=\"\(kind)\",state=\"faulty\"", faulty)
        }
        text.gauge("tartan_leases_unreadable", "Leases in etcd that can't be read and are skipped.", unreadable)
        guard let usage = unreadable == 0 ? counted.usage ?? slowUsage() : slowUsage() else { return }
        text.family(
            "tartan_network_subnets", .gauge, "Subnets of the network's range, by whether they are used, kept, or free."
        )
        for (state, count) in [("used", usage.used), ("reserved", usage.reserved), ("free", usage.free)] {
            text.sample("tartan_network_subnets", labels: "state=\"\(state)\"", count)
        }
    }

    /// With a look at each lease, once a revision.
    private func slowUsage() -> (used: Int, reserved: Int, free: Int)? {
        guard let index = try? catalog.current() else { return nil }
        let found = usage.withLock { known -> NetworkUsage? in
            if let known, known.mark == index.mark { return known.usage }
            let (config, unreadable) = status.read { ($0.config, $0.leases.unreadable.values.compactMap(\.key)) }
            guard case .valid(let config)? = config else { return nil }
            let usage = NetworkUsage(config, index: index, unreadable: unreadable)
            known = (index.mark, usage)
            return usage
        }
        return found.map { ($0.used, $0.reserved, $0.free) }
    }
}
