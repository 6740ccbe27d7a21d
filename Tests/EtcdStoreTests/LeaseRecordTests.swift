// SPDX-License-Identifier: Apache-2.0

import Etcd
import IPAddressing
import Leases
import Testing

@testable import EtcdStore

@Suite struct LeaseRecordTests {
    private let mac: MACAddress
    private let mac6: MACAddress

    init() throws {
        mac = try MACAddress(parsing: "3a:58:8f:c1:3c:7e")
        mac6 = try MACAddress(parsing: "3a:58:8f:c1:3c:7f")
    }

    private func announcement(_ text: String) throws -> LeaseAnnouncement {
        try LeaseAnnouncement(json: Array(text.utf8))
    }

    private func text(_ announcement: LeaseAnnouncement) -> String {
        String(decoding: announcement.json, as: UTF8.self)
    }

    private let flannel = """
        {"PublicIP":"192.168.77.1","PublicIPv6":null,"BackendType":"vxlan",\
        "BackendData":{"VNI":1,"VtepMAC":"3a:58:8f:c1:3c:7e"}}
        """

    @Test func `flannel's own lease is read, and written again to the byte`() throws {
        let lease = try announcement(flannel)
        #expect(lease.node == nil && lease.owner == .unnamed && lease.publicIPv6 == nil)
        #expect(lease.publicIP == IPv4Address(192, 168, 77, 1))
        #expect(lease.backend == .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: mac), ipv6: nil))
        #expect(text(lease) == flannel)
    }

    @Test func `a dual-stack lease and a host-gw one are read and written again to the byte`() throws {
        let dual = """
            {"PublicIP":"192.168.77.1","PublicIPv6":"fd00::1","BackendType":"vxlan",\
            "BackendData":{"VNI":1,"VtepMAC":"3a:58:8f:c1:3c:7e"},\
            "BackendV6Data":{"VNI":2,"VtepMAC":"3a:58:8f:c1:3c:7f"}}
            """
        let lease = try announcement(dual)
        #expect(lease.publicIPv6?.description == "fd00::1")
        #expect(
            lease.backend
                == .vxlan(
                    ipv4: VXLANAnnouncement(vni: 1, mac: mac), ipv6: VXLANAnnouncement(vni: 2, mac: mac6)))
        #expect(text(lease) == dual)
        let gateway = #"{"PublicIP":"192.168.77.1","PublicIPv6":null,"BackendType":"host-gw"}"#
        #expect(try announcement(gateway).backend == .hostGateway)
        #expect(text(try announcement(gateway)) == gateway)
    }

    @Test func `what Tartan adds stands behind what flannel wrote, and comes back`() throws {
        let lease = LeaseAnnouncement(
            node: NodeID("a \"b\""), owner: .tartan, publicIP: IPv4Address(10, 0, 0, 1),
            backend: .vxlan(ipv4: VXLANAnnouncement(vni: 7, mac: mac), ipv6: nil))
        #expect(
            text(lease) == """
                {"PublicIP":"10.0.0.1","PublicIPv6":null,"BackendType":"vxlan",\
                "BackendData":{"VNI":7,"VtepMAC":"3a:58:8f:c1:3c:7e"},"NodeName":"a \\"b\\"","Owner":"tartan"}
                """)
        #expect(try announcement(text(lease)) == lease)
    }

    @Test func `the order of members, unknown ones and nulls don't matter`() throws {
        let lease = try announcement(
            """
             { "Extra" : {"a":[1]}, "BackendData": {"VtepMAC":"3a:58:8f:c1:3c:7e","GBP":false,"VNI":1},
               "BackendV6Data":null, "NodeName":"", "Owner":"x", "BackendType":"vxlan", "PublicIP":"192.168.77.1" }
            """)
        #expect(lease.node == nil && lease.owner == .other("x"))
        #expect(lease.backend == .vxlan(ipv4: VXLANAnnouncement(vni: 1, mac: mac), ipv6: nil))
        #expect(
            try announcement(#"{"PublicIP":"1.2.3.4","BackendType":"wireguard","BackendData":{"PublicKey":"x"}}"#)
                .backend
                == .other("wireguard"))
    }

    @Test(arguments: [
        ("", "not JSON"), ("[]", "not an object"), ("{} x", "follows"), ("{}", "no PublicIP"),
        (#"{"PublicIP":7}"#, "a string is missing"), (#"{"PublicIP":"1.2.3"}"#, "PublicIP '1.2.3' is not"),
        (#"{"PublicIP":"1.2.3.4","PublicIPv6":"x"}"#, "PublicIPv6 'x' is not"),
        (#"{"PublicIP":"1.2.3.4","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"x"}}"#, "VtepMAC 'x' is not"),
        (#"{"PublicIP":"1.2.3.4","BackendType":"vxlan","BackendData":{"VNI":1}}"#, "VtepMAC '' is not"),
        (#"{"PublicIP":"1.2.3.4","BackendType":"vxlan","BackendData":{"VNI":16777216,"VtepMAC":""}}"#, "VNI 16777216"),
        (#"{"PublicIP":"1.2.3.4","BackendType":"vxlan","BackendData":{"VNI":-1,"VtepMAC":""}}"#, "VNI -1"),
        (#"{"PublicIP":"1.2.3.4","BackendType":"vxlan","BackendData":[]}"#, "BackendData is not"),
    ])
    func `what is wrong with a value is said`(text: String, reason: String) {
        let error = #expect(throws: LeaseValueError.self) { try announcement(text) }
        #expect(error?.reason.contains(reason) == true, "\(error as Any)")
    }

    private func keyValue(_ value: String, lease: Int64 = 0) -> KeyValue {
        var keyValue = KeyValue()
        keyValue.value = Array(value.utf8)
        keyValue.createRevision = 3
        keyValue.modRevision = 5
        keyValue.lease = lease
        return keyValue
    }

    @Test func `a key with a grant is a lease, one without a reservation`() throws {
        guard
            case .lease(let lease) = LeaseRecord(name: Array("10.244.20.0-24".utf8)[...], keyValue(flannel, lease: 9)),
            case .lease(let reservation) = LeaseRecord(name: Array("10.244.20.0-24".utf8)[...], keyValue(flannel))
        else {
            Issue.record("not readable")
            return
        }
        #expect(lease.kind == .lease(GrantID(9)) && reservation.kind == .reservation)
        #expect(lease.createRevision == Revision(3) && lease.modRevision == Revision(5))
        #expect(lease.key.description == "10.244.20.0-24")
    }

    @Test(arguments: [
        "", "x", "10.244.20.0", "10.244.20.0/24", "10.244.20.1-24", "10.244.20.0-24/x", "010.244.20.0-24",
    ])
    func `a name that is no subnet is unreadable, whatever its value`(name: String) {
        guard case .unreadable(let bad) = LeaseRecord(name: Array(name.utf8)[...], keyValue(flannel)) else {
            Issue.record("readable")
            return
        }
        #expect(bad.name == name && bad.key == nil && bad.modRevision == Revision(5))
    }

    @Test func `a value that is unreadable still names its subnet`() throws {
        guard case .unreadable(let bad) = LeaseRecord(name: Array("10.244.20.0-24".utf8)[...], keyValue("{}")) else {
            Issue.record("readable")
            return
        }
        #expect(bad.key == (try SubnetKey(parsing: "10.244.20.0-24")))
        #expect(bad.reason == "its value has no PublicIP")
    }

    @Test func `no value crashes the reader`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            var bytes = Array(flannel.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) { bytes.remove(at: place) } else { bytes[place] = .random(in: 0...255) }
            }
            _ = try? LeaseAnnouncement(json: bytes)
            _ = ConfigReading(json: bytes)
        }
    }
}

@Suite struct KeySpaceTests {
    @Test(arguments: ["/coreos.com/network", "/coreos.com/network/", "/coreos.com/network//"])
    func `the layout is flannel's, with or without a slash at the prefix's end`(prefix: String) throws {
        let keys = KeySpace(prefix: prefix)
        #expect(keys.config == "/coreos.com/network/config")
        let dual = try SubnetKey(parsing: "10.244.20.0-24&fd00:10:244:14::-64")
        #expect(keys.key(of: dual) == "/coreos.com/network/subnets/10.244.20.0-24&fd00:10:244:14::-64")
        #expect(keys.leases == KeyRange(prefix: "/coreos.com/network/subnets/"))
    }

    @Test func `one range holds config and leases and not what is kept beside them`() throws {
        let keys = KeySpace(prefix: "/n")
        func isInside(_ key: String) -> Bool {
            let bytes = Array(key.utf8)
            return !bytes.lexicographicallyPrecedes(keys.everything.start)
                && bytes.lexicographicallyPrecedes(keys.everything.end)
        }
        let lowest = keys.key(of: try SubnetKey(parsing: "0.0.0.0-8"))
        let highest = keys.key(of: try SubnetKey(parsing: "255.255.255.0-24&ffff::-64"))
        for key in [keys.config, lowest, highest] { #expect(isInside(key), "\(key)") }
        for key in ["/n/tartan/x", "/n/confi", "/n", "/o/config", "/n/subnets0"] { #expect(!isInside(key), "\(key)") }
    }

    @Test func `each key has its meaning`() {
        let keys = KeySpace(prefix: "/n")
        func meaning(_ key: String) -> String {
            switch keys.meaning(of: Array(key.utf8)) {
            case .config: "config"
            case .lease(let name): "lease \(String(decoding: name, as: UTF8.self))"
            case .other: "other"
            }
        }
        #expect(meaning("/n/config") == "config")
        #expect(meaning("/n/config2") == "other")
        #expect(meaning("/n/subnets/10.0.0.0-24") == "lease 10.0.0.0-24")
        #expect(meaning("/n/subnets/") == "lease ")
        #expect(meaning("/n/other") == "other")
    }
}

@Suite struct ConfigReadingTests {
    private func read(_ text: String) -> ConfigReading { ConfigReading(json: Array(text.utf8)) }

    @Test func `flannel's fields are read, their names in any case`() throws {
        let text = """
            {"network":"10.244.0.0/16","SUBNETLEN":25,"SubnetMin":"10.244.1.0","SubnetMax":"10.244.200.0","EnableIPv4":true,
             "EnableIPv6":true,"IPv6Network":"fd00:10::/48","IPv6SubnetLen":64,"IPv6SubnetMin":"fd00:10:0:1::",
             "IPv6SubnetMax":"fd00:10:0:ff::","EnableNFTables":true,"Unknown":[{}],
             "Backend":{"type":"vxlan","vni":42,"port":8473,"mtu":1400,"gbp":false,"learning":false,"directrouting":true,"x":1}}
            """
        let fields = try NetworkConfigFields(json: Array(text.utf8))
        #expect(fields.network == "10.244.0.0/16" && fields.subnetLength == 25)
        #expect(fields.subnetMin == "10.244.1.0" && fields.subnetMax == "10.244.200.0")
        #expect(fields.enableIPv4 == true && fields.enableIPv6 == true && fields.ipv6SubnetLength == 64)
        #expect(fields.ipv6Network == "fd00:10::/48" && fields.ipv6SubnetMin == "fd00:10:0:1::")
        #expect(fields.ipv6SubnetMax == "fd00:10:0:ff::")
        #expect(fields.backendType == "vxlan" && fields.vni == 42 && fields.port == 8473 && fields.mtu == 1400)
        #expect(fields.gbp == false && fields.learning == false && fields.directRouting == true)
    }

    @Test func `a null is as if it were not there`() throws {
        let fields = try NetworkConfigFields(
            json: Array(#"{"Network":"10.0.0.0/8","SubnetLen":null,"Backend":null}"#.utf8))
        #expect(fields.subnetLength == nil && fields.backendType == nil)
    }

    @Test(arguments: [
        ("Network", "17", "a string"), ("SubnetLen", "\"24\"", "a whole number"),
        ("SubnetLen", "24.5", "a whole number"),
        ("SubnetLen", "1e3", "a whole number"), ("SubnetLen", "99999999999999999999", "a whole number"),
        ("SubnetMin", "[]", "a string"), ("SubnetMax", "{}", "a string"), ("EnableIPv4", "\"true\"", "true or false"),
        ("EnableIPv6", "1", "true or false"), ("IPv6Network", "true", "a string"),
        ("IPv6SubnetLen", "true", "a whole number"),
        ("IPv6SubnetMin", "1", "a string"), ("IPv6SubnetMax", "1", "a string"), ("Backend", "\"vxlan\"", "an object"),
    ])
    func `a field of a wrong type is named`(field: String, value: String, wanted: String) {
        guard case .invalid(let fault) = read(#"{"\#(field)":\#(value)}"#) else {
            Issue.record("it was taken")
            return
        }
        #expect(fault.field == field && fault.reason == "must be \(wanted)")
    }

    @Test(arguments: [
        ("Type", "1"), ("VNI", "\"1\""), ("Port", "true"), ("MTU", "1.5"), ("GBP", "0"), ("Learning", "\"\""),
        ("DirectRouting", "[]"),
    ])
    func `a field of the backend of a wrong type is named`(field: String, value: String) {
        guard case .invalid(let fault) = read(#"{"Network":"10.0.0.0/8","Backend":{"\#(field)":\#(value)}}"#) else {
            Issue.record("it was taken")
            return
        }
        #expect(fault.field == "Backend.\(field)")
    }

    @Test(arguments: ["[]", "7", "null", #""10.244.0.0/16""#])
    func `JSON that is no object is not called something else`(text: String) {
        guard case .invalid(let fault) = read(text) else {
            Issue.record("it was taken")
            return
        }
        #expect(!fault.reason.contains("not JSON"))
        #expect(fault.reason.contains("a JSON object such as"))
    }

    @Test(arguments: ["", "{", "[", "7 x", "{} {}", #"{"Network" "x"}"#])
    func `what is not JSON is invalid, not missing`(text: String) {
        guard case .invalid(let fault) = read(text) else {
            Issue.record("it was taken")
            return
        }
        #expect(fault.reason.contains("it is not JSON"))
    }
}
