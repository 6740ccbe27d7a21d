// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// What a daemon tells in its subnet file, as a network plugin reads it.
struct PublishedSubnet: Hashable, Sendable {
    let ipv4: Family<IPv4Address>?
    let ipv6: Family<IPv6Address>?
    let mtu: Int

    struct Family<Address: BinaryAddress>: Hashable, Sendable {
        let subnet: Prefix<Address>
        /// The subnet's first host address: the bridge's.
        let gateway: Address

        fileprivate init?(_ block: Substring?) {
            guard let block, let (address, length) = try? Prefix<Address>.split(block, separator: "/"),
                let subnet = Prefix(address, length: length)
            else { return nil }
            self.subnet = subnet
            gateway = address
        }

        /// The address of the node's pod at a place from 0 on: .2, .3, ...; `nil` where the subnet has no more.
        func address(ofPod place: Int) -> Address? {
            guard let address = subnet.address(at: place + 2), address < subnet.last else { return nil }
            return address
        }
    }

    /// Of IPv4, where there is that.
    var subnet: String { ipv4.map { "\($0.subnet)" } ?? ipv6.map { "\($0.subnet)" } ?? "" }
    var gateway: String { ipv4.map { "\($0.gateway)" } ?? ipv6.map { "\($0.gateway)" } ?? "" }

    /// `nil` where the text lacks one of the variables.
    init?(_ text: String) {
        var values: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let mtu = values["FLANNEL_MTU"].flatMap({ Int($0) }) else { return nil }
        ipv4 = Family(values["FLANNEL_SUBNET"])
        ipv6 = Family(values["FLANNEL_IPV6_SUBNET"])
        self.mtu = mtu
        guard ipv4 != nil || ipv6 != nil else { return nil }
    }
}
