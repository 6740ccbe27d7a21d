// SPDX-License-Identifier: Apache-2.0

/// Every name and address of a lab (one without IPv4 has those of IPv6 in their place): what `tartan lab up --json` prints, and `lab.json` in the lab's folder holds.
///
///     {"name": "lab", "folder": "/run/tartan-lab/lab", "network": "10.244.0.0/16", "underlay": "172.20.0.0/16",
///      "keeper": 4711,
///      "etcd":  {"namespace": "tartan-lab-switch", "endpoint": "http://172.20.0.1:2379", "prefix": "...", "pid": 4720},
///      "nodes": [{"name": "node1", "namespace": "tartan-lab-node1", "address": "172.20.0.11", "subnet": "10.244.7.0/24",
///                 "gateway": "10.244.7.1", "mtu": 1450, "pid": 4731, "server": "unix:/run/tartan-lab/lab/node1/api.sock",
///                 "subnetFile": "...", "conflist": "...", "stateDir": "...", "log": "..."}],
///      "pods":  [{"name": "pod1", "namespace": "tartan-lab-pod1", "node": "node1", "address": "10.244.7.2"}]}
package struct LabDescription: Codable, Hashable, Sendable {
    package struct Etcd: Codable, Hashable, Sendable {
        package var namespace: String
        /// What `--etcd-endpoints` takes: of several members each, with commas between them.
        package var endpoint: String
        /// Where config and leases are.
        package var prefix: String
        package var pid: Int32?
    }

    package struct Node: Codable, Hashable, Sendable {
        package var name: String
        package var namespace: String
        /// On the underlay, of `eth0`.
        package var address: String
        /// The same of IPv6; `nil` in a lab without.
        package var ipv6Address: String?
        /// `nil` until the daemon has published it; so are the next two.
        package var subnet: String?
        package var ipv6Subnet: String?
        /// The bridge `cni0`'s.
        package var gateway: String?
        /// What a pod's interface may carry, in bytes.
        package var mtu: Int?
        /// The daemon's process; `nil` where it was stopped.
        package var pid: Int32?
        /// What `tartan --server` takes.
        package var server: String
        package var subnetFile: String
        /// What a container runtime on the node reads.
        package var conflist: String
        package var stateDir: String
        package var log: String
    }

    package struct Pod: Codable, Hashable, Sendable {
        package var name: String
        package var namespace: String
        package var node: String
        package var address: String
        package var ipv6Address: String?
    }

    package var name: String
    package var folder: String
    package var network: String
    package var underlay: String
    /// The process that keeps etcd and the daemons.
    package var keeper: Int32
    package var etcd: Etcd
    package var nodes: [Node] = []
    package var pods: [Pod] = []
}
