// SPDX-License-Identifier: Apache-2.0

import Metrics
import Synchronization

/// What the node counts as it goes; what it *is* at a moment stands in ``NodeStatus``.
package final class NodeMetrics: Sendable {
    package enum Renewal: String, CaseIterable, Sendable { case renewed, gone, failed }
    package enum Conflict: String, CaseIterable, Sendable { case claim, lost, identity, overlap }

    package enum WatchTurn: Sendable { case listing, resume, interruption }

    package let registry: MetricsRegistry
    private let renewals: [Renewal: Counter]
    private let conflicts: [Conflict: Counter]
    private let watch: [WatchTurn: Counter]
    private let watchEvents: Counter
    private let reconciling: Metrics.Timer
    private let etcd = Mutex<[String: Exchange]>([:])
    private let routes = Mutex<[String: HTTPRouteMetrics]>([:])

    private struct Exchange {
        let timer: Metrics.Timer
        var counters: [String: Counter] = [:]
    }

    package init() {
        let registry = MetricsRegistry(Self.descriptions)
        self.registry = registry
        func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
            Counter(label: name, dimensions: labels, factory: registry)
        }
        // All from the start, at zero: what has never happened can then be told from what is not known.
        renewals = Dictionary(
            uniqueKeysWithValues: Renewal.allCases.map {
                ($0, counter("tartan_lease_renewals_total", [("outcome", $0.rawValue)]))
            })
        conflicts = Dictionary(
            uniqueKeysWithValues: Conflict.allCases.map {
                ($0, counter("tartan_lease_conflicts_total", [("kind", $0.rawValue)]))
            })
        watch = [
            .listing: counter("tartan_watch_listings_total"), .resume: counter("tartan_watch_resumes_total"),
            .interruption: counter("tartan_watch_interruptions_total"),
        ]
        watchEvents = counter("tartan_watch_events_total")
        reconciling = Metrics.Timer(
            label: "tartan_reconcile_duration_seconds", dimensions: [], preferredDisplayUnit: .seconds,
            factory: registry)
    }

    package func count(_ renewal: Renewal) { renewals[renewal]?.increment() }

    package func count(_ conflict: Conflict) { conflicts[conflict]?.increment() }

    package func count(_ turn: WatchTurn) { watch[turn]?.increment() }

    /// Changes of leases that the watch told of.
    package func watched(_ events: Int) { watchEvents.increment(by: events) }

    /// One pass of the reconciler, kernel included.
    package func reconciled(in time: Duration) { reconciling.recordNanoseconds(time.nanoseconds) }

    /// One request to one member of etcd. Operations are the gateway's paths and outcomes a handful: both are ours.
    package func etcdExchange(operation: String, outcome: String, took time: Duration) {
        let (timer, counter) = etcd.withLock { known in
            var exchange =
                known[operation]
                ?? Exchange(
                    timer: Metrics.Timer(
                        label: "tartan_etcd_request_duration_seconds", dimensions: [("operation", operation)],
                        preferredDisplayUnit: .seconds, factory: registry))
            let counter =
                exchange.counters[outcome]
                ?? Counter(
                    label: "tartan_etcd_requests_total",
                    dimensions: [("operation", operation), ("outcome", outcome)], factory: registry)
            exchange.counters[outcome] = counter
            known[operation] = exchange
            return (exchange.timer, counter)
        }
        timer.recordNanoseconds(time.nanoseconds)
        counter.increment()
    }

    /// - Parameters:
    ///   - route: the path's template in openapi.yaml, or `unmatched`: never what a client may write.
    ///   - method: one that HTTP has; every other is `other`.
    package func http(route: String, method: String) -> HTTPRouteMetrics {
        let method = Self.methods.contains(method) ? method : "other"
        return routes.withLock { routes in
            let name = "\(method) \(route)"
            if let known = routes[name] { return known }
            let made = HTTPRouteMetrics(route: route, method: method, registry: registry)
            routes[name] = made
            return made
        }
    }

    private static let methods: Set<String> = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"]
}

/// What is counted of one method on one path.
package final class HTTPRouteMetrics: Sendable {
    private let dimensions: [(String, String)]
    private let registry: MetricsRegistry
    private let timer: Metrics.Timer
    private let counters = Mutex<[Int: Counter]>([:])

    init(route: String, method: String, registry: MetricsRegistry) {
        dimensions = [("method", method), ("route", route)]
        self.registry = registry
        timer = Metrics.Timer(
            label: "tartan_http_request_duration_seconds", dimensions: dimensions, preferredDisplayUnit: .seconds,
            factory: registry)
    }

    package func count(status: Int, took time: Duration) {
        let counter = counters.withLock { counters in
            if let known = counters[status] { return known }
            let made = Counter(
                label: "tartan_http_requests_total", dimensions: dimensions + [("status", "\(status)")],
                factory: registry)
            counters[status] = made
            return made
        }
        counter.increment()
        timer.recordNanoseconds(time.nanoseconds)
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }
}
