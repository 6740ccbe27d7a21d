// SPDX-License-Identifier: Apache-2.0

/// `SubnetRange` of openapi.yaml: the subnets that are given out.
package struct SubnetRangeDocument: Codable, Hashable, Sendable {
    /// The first and the last subnet, such as `10.244.1.0/24`.
    package var first: String
    package var last: String
    /// The prefix length of each.
    package var subnetLength: Int
    /// How many there are; more than 2^53 of them, which IPv6 can have, are told as 2^53.
    package var size: Int

    package init(first: String, last: String, subnetLength: Int, size: Int) {
        self.first = first
        self.last = last
        self.subnetLength = subnetLength
        self.size = size
    }
}
