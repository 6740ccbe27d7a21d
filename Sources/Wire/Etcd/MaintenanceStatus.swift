// SPDX-License-Identifier: Apache-2.0

import JSONText

/// What one member says of itself, without asking the others (`etcdserverpb.StatusResponse`).
package struct MaintenanceStatus: Hashable, Sendable {
    package var header = ResponseHeader()
    package var version = ""
    /// The leader's number; 0: it knows of none.
    package var leader: UInt64 = 0
    /// The database's size on disk, in bytes.
    package var databaseSize: Int64 = 0
    /// What is wrong, such as `NOSPACE` or `etcdserver: no leader`.
    package var errors: [String] = []

    init(_ json: inout JSONReader) throws(JSONError) {
        var read = self
        try json.object { name, json throws(JSONError) in
            switch name {
            case "header": read.header = try ResponseHeader(&json)
            case "version": read.version = try json.string()
            case "leader": read.leader = try json.unsigned()
            case "dbSize": read.databaseSize = try json.integer()
            case "errors": try json.array { json throws(JSONError) in read.errors.append(try json.string()) }
            default: try json.skip()
            }
        }
        self = read
    }
}

extension EtcdClient {
    package func status() async throws(EtcdError) -> MaintenanceStatus {
        try await call("/v3/maintenance/status", Array("{}".utf8)) { json throws(JSONError) in
            try MaintenanceStatus(&json)
        }
    }
}
