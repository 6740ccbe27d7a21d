// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import JSONText
import Testing

@testable import tartan_cni

/// What the runtime says, in the environment and on standard input.
@Suite struct ParameterTests {
    private let environment = [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/run/netns/p", "CNI_IFNAME": "eth0",
    ]

    private func invocation(_ changes: [String: String] = [:]) throws(PluginError) -> Invocation {
        let all = environment.merging(changes) { $1 }
        return try Invocation { all[$0] }
    }

    private func configuration(
        _ members: String, _ changes: [String: String] = [:], version: String = "1.1.0"
    ) throws(PluginError) -> NetworkConfiguration {
        let text =
            #"{"cniVersion":"\#(version)","name":"pods","type":"tartan-cni"\#(members.isEmpty ? "" : ",")\#(members)}"#
        return try NetworkConfiguration(Array(text.utf8), try invocation(changes))
    }

    private func code(_ body: () throws(PluginError) -> Void) -> Int? {
        do {
            try body()
            return nil
        } catch {
            return error.code.rawValue
        }
    }

    @Test(arguments: [
        ["CNI_COMMAND": ""], ["CNI_COMMAND": "add"], ["CNI_CONTAINERID": ""], ["CNI_CONTAINERID": "-x"],
        ["CNI_CONTAINERID": "a/b"], ["CNI_CONTAINERID": "ü"], ["CNI_NETNS": ""], ["CNI_IFNAME": ""],
        ["CNI_IFNAME": "."], ["CNI_IFNAME": ".."], ["CNI_IFNAME": "a/b"], ["CNI_IFNAME": "a:b"], ["CNI_IFNAME": "a b"],
        ["CNI_IFNAME": "sixteen-bytes-is"], ["CNI_ARGS": "IP"], ["CNI_ARGS": "IP=x"], ["CNI_ARGS": "MAC=1"],
        ["CNI_ARGS": "WHAT=1"], ["CNI_COMMAND": "CHECK", "CNI_NETNS": ""],
    ])
    func `an environment that the specification forbids is error 4`(changes: [String: String]) {
        #expect(code { () throws(PluginError) in _ = try invocation(changes) } == 4)
    }

    @Test func `DEL needs no namespace, GC and STATUS no container`() throws {
        _ = try invocation(["CNI_COMMAND": "DEL", "CNI_NETNS": ""])
        for command in ["GC", "STATUS", "VERSION"] {
            _ = try invocation(["CNI_COMMAND": command, "CNI_CONTAINERID": "", "CNI_NETNS": "", "CNI_IFNAME": ""])
        }
    }

    @Test func `extra arguments are read, the kubelet's and those to be ignored are not in the way`() throws {
        let arguments = try ExtraArguments(
            parsing: "IgnoreUnknown=1;K8S_POD_NAME=x;IP=10.1.2.3;MAC=02:00:00:00:00:07;WHAT=3")
        #expect(arguments.address == .v4(IPv4Address(10, 1, 2, 3)))
        #expect(arguments.mac?.description == "02:00:00:00:00:07")
        _ = try ExtraArguments(parsing: "K8S_POD_NAME=x;K8S_POD_NAMESPACE=y")
    }

    @Test(arguments: [
        ("", 6), ("[]", 6), ("{", 6), (#"{"name":"x"}"#, 1), (#"{"cniVersion":"9.0.0","name":"x"}"#, 1),
        (#"{"cniVersion":"0.2.0","name":"x"}"#, 1), (#"{"cniVersion":"1.0.0"}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"-x"}"#, 7), (#"{"cniVersion":"1.0.0","name":"x","mtu":"big"}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"x","vlan":5000}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"x","bridge":"a b"}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"x","hairpinMode":true,"promiscMode":true}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"x","ipam":{"routes":[{"dst":"all"}]}}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"x","ipam":{"routes":[{"dst":"10.0.0.0/8","gw":"fd00::1"}]}}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"x","runtimeConfig":{"ips":["ten"]}}"#, 7),
        (#"{"cniVersion":"1.0.0","name":"x","macspoofchk":true}"#, 2),
        (#"{"cniVersion":"1.0.0","name":"x","vlanTrunk":[{"id":3}]}"#, 2),
        (#"{"cniVersion":"1.0.0","name":"x","ipam":{"type":"dhcp"}}"#, 2),
        (#"{"cniVersion":"1.0.0","name":"x","ipam":{"subnet":"10.0.0.0/24"}}"#, 2),
    ])
    func `a configuration that can't be followed has its number`(text: String, number: Int) throws {
        let invocation = try invocation()
        #expect(
            code { () throws(PluginError) in _ = try NetworkConfiguration(Array(text.utf8), invocation) } == number)
    }

    @Test(arguments: [("CHECK", "0.3.1", 1), ("GC", "1.0.0", 1), ("STATUS", "1.0.0", 1)])
    func `a command is not in the versions before it`(command: String, version: String, number: Int) {
        let found = code { () throws(PluginError) in
            _ = try configuration("", ["CNI_COMMAND": command], version: version)
        }
        #expect(found == number)
    }

    @Test func `an unsupported field's error has its name and value`() throws {
        do {
            _ = try configuration(#""macspoofchk":true"#)
            Issue.record("accepted")
        } catch {
            #expect(error.message.contains("macspoofchk=true"))
        }
    }

    @Test func `the runtime's wishes win over args, and those over CNI_ARGS`() throws {
        let runtime = #""runtimeConfig":{"ips":["10.1.2.5/24"],"mac":"02:00:00:00:00:03"}"#
        let arguments = #""args":{"cni":{"ips":["10.1.2.4"],"mac":"02:00:00:00:00:02"}}"#
        let extra = ["CNI_ARGS": "IP=10.1.2.3;MAC=02:00:00:00:00:01"]
        let all = try configuration("\(runtime),\(arguments)", extra)
        #expect(all.requestedMAC?.description == "02:00:00:00:00:03")
        #expect(all.requestedAddresses.map(\.description) == ["10.1.2.3", "10.1.2.4", "10.1.2.5"])
        #expect(try configuration(arguments, extra).requestedMAC?.description == "02:00:00:00:00:02")
        #expect(try configuration("", extra).requestedMAC?.description == "02:00:00:00:00:01")
    }

    @Test func `the gateway options follow each other as in the reference plugin, with ours as defaults`() throws {
        func options(_ members: String) throws -> (Bool, Bool) {
            let bridge = try configuration(members).bridge
            return (bridge.isGateway, bridge.isDefaultGateway)
        }
        #expect(try options("") == (true, true))
        #expect(try options(#""isGateway":false"#) == (false, false))
        #expect(try options(#""isDefaultGateway":false"#) == (true, false))
        #expect(try options(#""isGateway":false,"isDefaultGateway":true"#) == (true, true))
    }

    @Test func `port mappings are another plugin's`() throws {
        _ = try configuration(
            #""capabilities":{"portMappings":true},"runtimeConfig":{"portMappings":[{"hostPort":80}]}"#)
    }

    @Test func `a host's link has a name that the kernel takes, and others have others`() {
        let attachments = (0..<500).map { Attachment(containerID: "c\($0)", interface: "eth0") }
        let names = Set(attachments.map { $0.hostLink(network: "pods") })
        #expect(names.count == 500)
        #expect(names.allSatisfy { Invocation.isInterfaceName($0) && $0.utf8.count == 15 })
        #expect(!names.contains(attachments[0].hostLink(network: "others")))
        let (left, right) = (
            Attachment(containerID: "ab", interface: "c"), Attachment(containerID: "a", interface: "bc")
        )
        #expect(left.hostLink(network: "n") != right.hostLink(network: "n"))
    }
}
