// SPDX-License-Identifier: Apache-2.0

extension NodeMetrics {
    /// From half a millisecond to ten seconds: what a request to etcd can take before it is given up.
    private static let etcdBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let httpBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]
    private static let reconcileBounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60]

    static let descriptions: [MetricsRegistry.Description] = [
        .init(
            "tartan_lease_renewals_total",
            "Renewals of this node's lease and of those it renews for others, by what etcd said."),
        .init(
            "tartan_lease_conflicts_total",
            "Times that this node met another on a subnet: a claim lost, its own lease lost, its name or address "
                + "used by another, a lease over its own; or met it on behalf of a node that asked here for a lease."),
        .init("tartan_watch_listings_total", "Times that all leases were read from etcd as a whole."),
        .init("tartan_watch_resumes_total", "Times that the watch on the leases went on after an interruption."),
        .init("tartan_watch_interruptions_total", "Times that the watch on the leases was interrupted."),
        .init("tartan_watch_events_total", "Changes of leases that the watch told of."),
        .init(
            "tartan_reconcile_duration_seconds", "How long a pass took that compares the leases with the kernel.",
            bounds: reconcileBounds),
        .init("tartan_etcd_requests_total", "Requests to members of etcd, by the gateway's operation and outcome."),
        .init(
            "tartan_etcd_request_duration_seconds",
            "How long a member of etcd took for a request; of a watch, until it was open.", bounds: etcdBounds),
        .init("tartan_http_requests_total", "Requests to this node's REST endpoint, by the path's template."),
        .init(
            "tartan_http_request_duration_seconds",
            "How long the REST endpoint took until an answer began.", bounds: httpBounds),
    ]
}
