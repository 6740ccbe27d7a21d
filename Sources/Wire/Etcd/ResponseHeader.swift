// SPDX-License-Identifier: Apache-2.0

import JSONText

/// The head of each answer (`etcdserverpb.ResponseHeader`).
package struct ResponseHeader: Hashable, Sendable {
    /// etcd's revision when it answered.
    package var revision: Int64 = 0
    package var clusterID: UInt64 = 0
    /// Grows with each election, also over restarts, and starts anew only with another cluster.
    package var raftTerm: UInt64 = 0

    package init() {}

    init(_ json: inout JSONReader) throws(JSONError) {
        var read = ResponseHeader()
        try json.object { name, json throws(JSONError) in
            switch name {
            case "revision": read.revision = try json.integer()
            case "cluster_id": read.clusterID = try json.unsigned()
            case "raft_term": read.raftTerm = try json.unsigned()
            default: try json.skip()
            }
        }
        self = read
    }
}
