// SPDX-License-Identifier: Apache-2.0

import CNITestKit
import IPAddressing
import JSONText
import Leases
import Testing

@testable import tartan_cni

/// Flannel's form of configuration: the work left to other plugins.
@Suite struct DelegateTests {
    private func produced(_ text: String, _ file: String) throws -> JSONValue {
        let environment = [
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_NETNS": "/run/netns/p", "CNI_IFNAME": "eth0",
        ]
        let invocation = try Invocation { environment[$0] }
        let configuration = try NetworkConfiguration(Array(text.utf8), invocation)
        let options = try #require(configuration.delegate)
        return try Delegate(configuration: configuration, options: options, invocation: invocation)
            .produced(try SubnetFile(parsing: file))
    }

    private let file = """
        FLANNEL_NETWORK=10.1.0.0/16
        FLANNEL_SUBNET=10.1.17.1/24
        FLANNEL_MTU=1472
        FLANNEL_IPMASQ=true

        """

    /// The members in any order, as a JSON reader sees them.
    private func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(members.map { .init($0.name, sorted($0.value)) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(sorted))
        default: value
        }
    }

    @Test(arguments: [
        (
            #""delegate":{}"#,
            #"{"name":"mynet","type":"bridge","mtu":1472,"ipMasq":false,"isGateway":true,"cniVersion":"0.3.1","ipam":{"#
                + #""type":"host-local","ranges":[[{"subnet":"10.1.17.0/24"}]],"routes":[{"dst":"10.1.0.0/16"}]}}"#
        ),
        (
            #""delegate":{"bridge":"mynet0","mtu":1400,"isGateway":false,"ipMasq":true}"#,
            #"{"name":"mynet","type":"bridge","bridge":"mynet0","mtu":1400,"ipMasq":true,"isGateway":false,"#
                + #""cniVersion":"0.3.1","ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.17.0/24"}]],"routes":["#
                + #"{"dst":"10.1.0.0/16"}]}}"#
        ),
        (
            #""delegate":{"type":"ipvlan","master":"eth0"},"ipam":{"type":"other","x":1.50,"ranges":[],"routes":[{"dst":"#
                + #""10.9.0.0/16"}]},"runtimeConfig":{"mac":"02:00:00:00:00:01"}"#,
            #"{"name":"mynet","type":"ipvlan","master":"eth0","mtu":1472,"ipMasq":false,"cniVersion":"0.3.1","ipam":{"#
                + #""type":"other","x":1.50,"ranges":[[{"subnet":"10.1.17.0/24"}]],"routes":[{"dst":"10.9.0.0/16"},"#
                + #"{"dst":"10.1.0.0/16"}]},"runtimeConfig":{"mac":"02:00:00:00:00:01"}}"#
        ),
    ])
    func `the delegate gets what flannel's plugin would give it`(members: String, expected: String) throws {
        let config = try produced(#"{"cniVersion":"0.3.1","name":"mynet","type":"flannel",\#(members)}"#, file)
        #expect(try sorted(config) == sorted(JSONValue(expected)))
    }

    @Test func `dual stack is a range and a route of each family`() throws {
        let both = file + "FLANNEL_IPV6_NETWORK=fd00:1::/48\nFLANNEL_IPV6_SUBNET=fd00:1:0:2::1/64\n"
        let config = try produced(#"{"cniVersion":"0.3.1","name":"n","type":"flannel","delegate":{}}"#, both)
        #expect(
            try config["ipam"]?["ranges"]
                == JSONValue(#"[[{"subnet":"10.1.17.0/24"}],[{"subnet":"fd00:1:0:2::/64"}]]"#))
        #expect(try config["ipam"]?["routes"] == JSONValue(#"[{"dst":"10.1.0.0/16"},{"dst":"fd00:1::/48"}]"#))
    }

    @Test(arguments: [#"{"name":"x"}"#, #"{"ipam":{}}"#, #"{"type":5}"#])
    func `what is made here must not be in the delegate`(delegate: String) {
        #expect(throws: PluginError.self) {
            try produced(#"{"cniVersion":"0.3.1","name":"n","type":"flannel","delegate":\#(delegate)}"#, file)
        }
    }

    @Test(
        .enabled(if: Means.areThere, Means.reason),
        .enabled(if: PluginFiles.hasReference, Means.referenceReason))
    func `a pod comes and goes by way of the reference plugins`() throws {
        let scene = try Scene()
        let pod = try scene.host.makePod()
        let configuration = scene.host.configuration(
            version: "1.0.0", [.init("delegate", .object([.init("isDefaultGateway", .bool(true))]))])
        let result = try scene.add("c1", pod, configuration)
        #expect(result.address() == "10.99.1.2")
        #expect(scene.reserved == ["10.99.1.2"])
        let saved = "\(scene.host.folder)/delegate/c1"
        #expect(File.read(saved)?.contains(#""type":"bridge""#) == true)
        let check = try scene.run("CHECK", "c1", pod, configuration.with("prevResult", result.withGateways))
        #expect(check.status == 0, "\(check.message)")
        // The delegate's own error, number and words.
        let again = try scene.run("ADD", "c1", pod, configuration)
        #expect(again.status == 1)
        #expect(again.message.hasPrefix("bridge: "))
        try scene.writeSubnet("10.99.7.1/24")
        #expect(try scene.run("CHECK", "c1", pod, configuration.with("prevResult", result)).code == 104)
        for _ in 0..<2 { #expect(try scene.run("DEL", "c1", pod, configuration).status == 0) }
        #expect(!File.exists(saved))
        #expect(scene.reserved.isEmpty)
        #expect(!(try scene.look("ip link", in: pod.name)).contains("eth0"))
    }

    @Test(.enabled(if: Means.areThere, Means.reason))
    func `a delegate that is not there is named with the folders that were searched`() throws {
        let scene = try Scene()
        let configuration = scene.host.configuration([.init("delegate", .object([.init("type", .string("absent"))]))])
        let outcome = try scene.run("ADD", "c1", try scene.host.makePod(), configuration)
        #expect(outcome.code == 106)
        #expect(outcome.message.contains("'absent'") && outcome.message.contains("/usr/lib/cni"))
    }

    @Test(.enabled(if: Means.areThere, Means.reason))
    func `GC and STATUS reach the delegate, and forgotten containers are deleted`() throws {
        let scene = try Scene()
        // A plugin that notes what it is asked for.
        let plugins = "\(scene.host.folder)/plugins"
        let log = "\(scene.host.folder)/log"
        // Written by another process, so that none of ours has it open for writing when it is started.
        _ = try scene.look(
            """
            mkdir -p \(plugins); cat > \(plugins)/noting <<'END'
            #!/bin/sh
            echo "$CNI_COMMAND $CNI_CONTAINERID" >>\(log); read -r line; echo "$line" >>\(log)
            [ $CNI_COMMAND = ADD ] && echo '{"cniVersion":"1.1.0"}'
            [ ! -e \(plugins)/broken ] || { echo '{"code":51,"msg":"not now"}'; exit 1; }
            END
            chmod +x \(plugins)/noting
            """)
        let configuration = scene.host.configuration([
            .init("delegate", .object([.init("type", .string("noting"))])),
            .init("cni.dev/valid-attachments", try JSONValue(#"[{"containerID":"kept","ifname":"eth0"}]"#)),
        ])
        func run(_ command: String, _ container: String) throws -> PluginProcess.Outcome {
            try scene.host.start(
                PluginFiles.ours, command, container, PodHost.Pod(name: "none"), configuration, path: plugins
            ).wait()
        }
        for container in ["kept", "stale"] {
            let outcome = try run("ADD", container)
            #expect(outcome.status == 0, "\(String(decoding: outcome.output, as: UTF8.self)) \(outcome.errors)")
        }
        #expect(try run("GC", "").status == 0)
        #expect(File.names(in: "\(scene.host.folder)/delegate") == ["kept"])
        let words = try #require(File.read(log))
        #expect(words.contains("DEL stale"))
        #expect(!words.contains("DEL kept"))
        #expect(words.contains("GC"))
        #expect(words.contains(#""cni.dev/valid-attachments":[{"containerID":"kept","ifname":"eth0"}]"#))
        #expect(try run("STATUS", "").status == 0)
        try File.write("", to: "\(plugins)/broken")
        #expect(try run("STATUS", "").code == 51)
    }
}
