// SPDX-License-Identifier: Apache-2.0

import Dataplane

/// How often something in the kernel was put back that others had changed, by what it was.
package struct RepairCounts: Hashable, Sendable {
    /// The VXLAN device with its address; what went with it is not counted.
    package var device = 0
    package var neighbors = 0
    package var fdb = 0
    package var nextHops = 0
    package var routes = 0

    package init() {}

    package var total: Int { device + neighbors + fdb + nextHops + routes }

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.device += right.device
        sum.neighbors += right.neighbors
        sum.fdb += right.fdb
        sum.nextHops += right.nextHops
        sum.routes += right.routes
        return sum
    }

    mutating func count(_ kind: EntryKind) {
        switch kind {
        case .neighbor: neighbors += 1
        case .fdb: fdb += 1
        case .nextHop: nextHops += 1
        case .route: routes += 1
        }
    }
}
