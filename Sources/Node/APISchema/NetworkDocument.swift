// SPDX-License-Identifier: Apache-2.0

/// `Network` of openapi.yaml: the cluster's network and how full it is, as of one revision.
///
/// `used`, `reserved` and `free` are numbers of subnets of the range and add up to its size: a lease of another size
/// than the config's takes every subnet that it touches.
package struct NetworkDocument: Codable, Hashable, Sendable {
    package var revision: String
    /// `null` where there is none that can be used; ``problem`` then says why.
    package var config: NetworkConfigDocument?
    package var problem: String?
    package var range: SubnetRangeDocument?
    package var ipv6Range: SubnetRangeDocument?
    /// Taken by a lease, or by a key that can't be read.
    package var used: Int
    /// Kept by a reservation.
    package var reserved: Int
    package var free: Int

    package init(
        revision: String, config: NetworkConfigDocument?, problem: String?, range: SubnetRangeDocument?,
        ipv6Range: SubnetRangeDocument?, used: Int, reserved: Int, free: Int
    ) {
        self.revision = revision
        self.config = config
        self.problem = problem
        self.range = range
        self.ipv6Range = ipv6Range
        self.used = used
        self.reserved = reserved
        self.free = free
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(revision, forKey: .revision)
        try container.encode(config, forKey: .config)
        try container.encode(problem, forKey: .problem)
        try container.encode(range, forKey: .range)
        try container.encode(ipv6Range, forKey: .ipv6Range)
        try container.encode(used, forKey: .used)
        try container.encode(reserved, forKey: .reserved)
        try container.encode(free, forKey: .free)
    }
}
