// SPDX-License-Identifier: Apache-2.0

import Etcd
import EtcdStore
import Leases

extension FuzzedParser {
    /// What other nodes and operators write into etcd, and the subnet file.
    static let leases: [FuzzedParser] = [
        FuzzedParser("lease-key", words: ["-", "&", "/", "10.244.20.0-24", "fd00::-64", "255", "-33", "00", "::"]) {
            bytes in
            let fast = SubnetKey(ipv4Text: bytes[...])
            let slow = try? SubnetKey(parsing: String(decoding: bytes, as: UTF8.self))
            if let fast { try BrokenPromise.unless(fast == slow, "\(fast) is read otherwise the long way") }
            if let slow {
                let again = try? SubnetKey(parsing: slow.description)
                try BrokenPromise.unless(again == slow, "\(slow) is not read as written")
            }
            _ = LeaseRecord(name: bytes[...], KeyValue())
        },
        FuzzedParser("lease-value", words: jsonWords + leaseWords) { bytes in
            var keyValue = KeyValue()
            keyValue.value = bytes
            _ = LeaseRecord(name: Array("10.244.20.0-24".utf8)[...], keyValue)
            guard let value = try? LeaseAnnouncement(json: bytes) else { return }
            let again = try? LeaseAnnouncement(json: value.json)
            try BrokenPromise.unless(again == value, "\(value) is not read as written")
        },
        FuzzedParser("network-config", words: jsonWords + configWords) { bytes in
            _ = ConfigReading(json: bytes)
            guard case .valid(let config) = ConfigReading(json: bytes) else { return }
            _ = config.subnetCount
        },
        FuzzedParser(
            "subnet-env",
            words: [
                "FLANNEL_NETWORK=", "FLANNEL_SUBNET=", "FLANNEL_MTU=", "FLANNEL_IPV6_SUBNET=", "=", "\n", "/", "true",
            ]
        ) { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            _ = SubnetFile.rememberedSubnet(in: text)
            guard let file = try? SubnetFile(parsing: text) else { return }
            let again = try? SubnetFile(parsing: file.text)
            try BrokenPromise.unless(again?.text == file.text, "\(file.text) is not read as written")
        },
    ]

    private static let leaseWords = [
        "PublicIP", "PublicIPv6", "BackendType", "BackendData", "BackendV6Data", "vxlan", "host-gw", "VNI", "VtepMAC",
        "NodeName", "Owner", "tartan", "10.0.0.1", "fd00::1", "02:00:00:00:00:01", "4294967296", "-1",
    ]
    private static let configWords = [
        "Network", "SubnetLen", "SubnetMin", "SubnetMax", "Backend", "Type", "vxlan", "EnableIPv6", "IPv6Network",
        "EnableIPv4",
        "IPv6SubnetLen", "DirectRouting", "10.244.0.0/16", "0.0.0.0/0", "255.255.255.255/32", "fd00::/48", "::/0", "31",
        "33",
    ]
}
