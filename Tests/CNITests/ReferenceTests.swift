// SPDX-License-Identifier: Apache-2.0

import CNITestKit
import JSONText
import Testing

/// The same input to the reference plugins and to ours: the same results, the same files, the same pod.
@Suite(
    .enabled(if: Means.areThere, Means.reason),
    .enabled(if: PluginFiles.hasReference, Means.referenceReason))
struct ReferenceTests {
    /// What our subnet file says, in the reference plugins' words.
    private func reference(_ scene: Scene, _ version: String, ipv6: Bool) throws -> JSONValue {
        var ranges = [try JSONValue(#"[{"subnet":"10.99.1.0/24"}]"#)]
        var routes = [try JSONValue(#"{"dst":"10.99.0.0/16"}"#)]
        if ipv6 {
            ranges.append(try JSONValue(#"[{"subnet":"fd00:99:0:1::/64"}]"#))
            routes.append(try JSONValue(#"{"dst":"fd00:99::/48"}"#))
        }
        let ipam = JSONValue.object([
            .init("type", .string("host-local")), .init("dataDir", .string("\(scene.host.folder)/networks")),
            .init("ranges", .array(ranges)), .init("routes", .array(routes)),
        ])
        return scene.host.configuration(
            version: version,
            [
                .init("type", .string("bridge")), .init("ipam", ipam), .init("isDefaultGateway", .bool(true)),
                .init("mtu", .number("1400")), .init("dns", try JSONValue(#"{"nameservers":["10.99.0.10"]}"#)),
            ])
    }

    /// Without what is random.
    private func comparable(_ result: JSONValue, _ pod: PodHost.Pod) -> String {
        var text = String(decoding: result.bytes, as: UTF8.self).replacing(pod.path, with: "POD")
        text = text.replacing(/"mac":"[^"]*"/, with: "MAC").replacing(/"name":"veth[^"]*"/, with: "VETH")
        return text
    }

    private func pod(_ scene: Scene, _ pod: PodHost.Pod) throws -> String {
        let line = """
            ip -o -4 addr show eth0 | tr -s ' ' | cut -d' ' -f3-9; ip -4 route; ip -6 route | grep -v fe80
            ip -o -6 addr show eth0 scope global | tr -s ' ' | cut -d' ' -f3-6
            ip -o link show eth0 | grep -o 'mtu [0-9]*'
            """
        return try scene.look(line, in: pod.name)
    }

    @Test(arguments: ["0.3.1", "0.4.0", "1.0.0"], [false, true])
    func `result, files and pod are the reference plugins'`(version: String, ipv6: Bool) throws {
        let ipv6Subnet = ipv6 ? "fd00:99:0:1::1/64" : nil
        let scenes = (try Scene(ipv6Subnet: ipv6Subnet), try Scene(ipv6Subnet: ipv6Subnet))
        let pods = (try scenes.0.host.makePod(), try scenes.1.host.makePod())
        let ours = try scenes.0.add(
            "c1", pods.0,
            scenes.0.host.configuration(
                version: version, [.init("dns", try JSONValue(#"{"nameservers":["10.99.0.10"]}"#))]))
        let theirs = try scenes.1.add(
            "c1", pods.1, reference(scenes.1, version, ipv6: ipv6), plugin: "\(PluginFiles.reference)/bridge")
        #expect(comparable(ours, pods.0) == comparable(theirs, pods.1))
        #expect(try pod(scenes.0, pods.0) == pod(scenes.1, pods.1))
        let files = [scenes.0, scenes.1].map { scene in
            File.names(in: scene.host.addressFolder()).sorted().map { name in
                "\(name): \(File.read("\(scene.host.addressFolder())/\(name)") ?? "")"
            }
        }
        #expect(files[0] == files[1])
    }

    /// Debian's are of 1.0.0.
    @Test func `what 1_1_0 adds to the reference plugins' result of 1_0_0 is the MTUs`() throws {
        let scenes = (try Scene(), try Scene())
        let pods = (try scenes.0.host.makePod(), try scenes.1.host.makePod())
        let dns = JSONValue.Member("dns", try JSONValue(#"{"nameservers":["10.99.0.10"]}"#))
        let ours = try scenes.0.add("c1", pods.0, scenes.0.host.configuration(version: "1.1.0", [dns]))
        let theirs = try scenes.1.add(
            "c1", pods.1, reference(scenes.1, "1.0.0", ipv6: false), plugin: "\(PluginFiles.reference)/bridge")
        let text = comparable(ours, pods.0).replacing(#""cniVersion":"1.1.0""#, with: #""cniVersion":"1.0.0""#)
        #expect(text.contains(/,"mtu":[0-9]+/))
        #expect(text.replacing(/,"mtu":[0-9]+/, with: "") == comparable(theirs, pods.1))
    }

    @Test func `a node changes plugins and keeps its pods, both ways`() throws {
        let scene = try Scene()
        let pods = (try scene.host.makePod(), try scene.host.makePod())
        let theirs = try reference(scene, "1.0.0", ipv6: false)
        let bridge = "\(PluginFiles.reference)/bridge"
        let first = try scene.add("c1", pods.0, theirs, plugin: bridge)
        #expect(first.address() == "10.99.1.2")
        let ours = scene.host.configuration(version: "1.0.0")
        let second = try scene.add("c2", pods.1, ours)
        #expect(second.address() == "10.99.1.3")
        #expect(try scene.look("ping -c1 -W2 10.99.1.3", in: pods.0.name).contains("1 received"))
        let check = try scene.run("CHECK", "c1", pods.0, ours.with("prevResult", first))
        #expect(check.status == 0, "\(check.message)")
        let backward = try scene.run(
            "CHECK", "c2", pods.1, theirs.with("prevResult", second.withGateways), plugin: bridge)
        #expect(backward.status == 0, "\(backward.message)")
        // Each deletes the other's.
        #expect(try scene.run("DEL", "c1", pods.0, ours.with("prevResult", first)).status == 0)
        let deleted = try scene.run("DEL", "c2", pods.1, theirs.with("prevResult", second), plugin: bridge)
        #expect(deleted.status == 0, "\(deleted.message)")
        #expect(scene.reserved.isEmpty)
        #expect(try scene.podLinks().isEmpty)
    }
}
