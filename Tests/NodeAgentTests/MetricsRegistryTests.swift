// SPDX-License-Identifier: Apache-2.0

import Metrics
import Testing

@testable import NodeAgent

/// What Prometheus' documentation says of its text format.
@Suite struct MetricsRegistryTests {
    private func text(_ registry: MetricsRegistry) -> String {
        var text = MetricsText()
        registry.write(to: &text)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func `counters, gauges and histograms are written as the format has them`() {
        let registry = MetricsRegistry([
            .init("a_total", "Things."), .init("c_seconds", "Times.", bounds: [0.1, 1]), .init("never_total", "Never."),
        ])
        let counter = Counter(label: "a_total", dimensions: [("k", "v")], factory: registry)
        counter.increment()
        counter.increment(by: 2)
        Gauge(label: "b", dimensions: [], factory: registry).record(2.5)
        let timer = Metrics.Timer(
            label: "c_seconds", dimensions: [], preferredDisplayUnit: .seconds, factory: registry)
        for milliseconds in [50, 100, 500, 5000] { timer.recordMilliseconds(milliseconds) }
        #expect(
            text(registry) == """
                # HELP a_total Things.
                # TYPE a_total counter
                a_total{k="v"} 3
                # HELP b (not described)
                # TYPE b gauge
                b 2.5
                # HELP c_seconds Times.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.1"} 2
                c_seconds_bucket{le="1"} 3
                c_seconds_bucket{le="+Inf"} 4
                c_seconds_sum 5.65
                c_seconds_count 4

                """)
    }

    @Test func `two instruments of one name and labels are one series`() {
        let registry = MetricsRegistry([.init("a_total", "Things.")])
        for _ in 0..<3 { Counter(label: "a_total", dimensions: [("k", "v")], factory: registry).increment() }
        #expect(text(registry).contains("a_total{k=\"v\"} 3\n"))
    }

    @Test func `an instrument of another kind under a taken name breaks nothing`() {
        let registry = MetricsRegistry([.init("a_total", "Things.")])
        Counter(label: "a_total", dimensions: [], factory: registry).increment()
        Gauge(label: "a_total", dimensions: [], factory: registry).record(7)
        Gauge(label: "a_total", dimensions: [("k", "v")], factory: registry).record(7)
        #expect(text(registry) == "# HELP a_total Things.\n# TYPE a_total counter\na_total 1\n")
    }

    @Test func `label values are escaped`() {
        #expect(MetricsText.labels([("a", "b\"c\\d\ne")]) == #"a="b\"c\\d\ne""#)
    }

    @Test(arguments: [
        (1.0, "1"), (0.5, "0.5"), (-3, "-3"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        (1e300, "1e+300"),
        (0, "0"),
    ])
    func `numbers are written so that Prometheus reads them`(value: Double, text: String) {
        #expect(MetricsText.text(of: value) == text)
    }

    @Test func `what the node counts starts at zero, and counts by outcome`() {
        let metrics = NodeMetrics()
        #expect(text(metrics.registry).contains("tartan_lease_renewals_total{outcome=\"failed\"} 0\n"))
        metrics.count(.failed)
        metrics.count(.lost)
        metrics.count(.interruption)
        metrics.watched(3)
        metrics.reconciled(in: .milliseconds(20))
        metrics.etcdExchange(operation: "kv_range", outcome: "failed", took: .milliseconds(3))
        metrics.http(route: "/", method: "BREW").count(status: 405, took: .zero)
        let text = text(metrics.registry)
        for line in [
            "tartan_lease_renewals_total{outcome=\"failed\"} 1", "tartan_lease_conflicts_total{kind=\"lost\"} 1",
            "tartan_watch_interruptions_total 1", "tartan_watch_events_total 3",
            "tartan_reconcile_duration_seconds_sum 0.02",
            "tartan_etcd_requests_total{operation=\"kv_range\",outcome=\"failed\"} 1",
            "tartan_etcd_request_duration_seconds_bucket{operation=\"kv_range\",le=\"0.005\"} 1",
            "tartan_http_requests_total{method=\"other\",route=\"/\",status=\"405\"} 1",
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
        #expect(!text.contains("(not described)"))
    }
}
