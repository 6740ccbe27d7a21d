// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// What a daemon tells in its subnet file, as a network plugin reads it.
struct PublishedSubnet: Hashable, Sendable {
    let subnet: IPv4Prefix
    /// The subnet's first host address: the bridge's.
    let gateway: IPv4Address
    let mtu: Int

    /// `nil` where the text lacks one of the variables.
    init?(_ text: String) {
        var values: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let block = values["FLANNEL_SUBNET"], let mtu = values["FLANNEL_MTU"].flatMap({ Int($0) }),
            let (address, length) = try? IPv4Prefix.split(block, separator: "/"),
            let subnet = IPv4Prefix(address, length: length)
        else { return nil }
        self.subnet = subnet
        self.mtu = mtu
        gateway = address
    }

    /// The address of the node's pod at a place from 0 on: .2, .3, ...; `nil` where the subnet has no more.
    func address(ofPod place: Int) -> IPv4Address? {
        guard let address = subnet.address(at: place + 2), address < subnet.last else { return nil }
        return address
    }
}
