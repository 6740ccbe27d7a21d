// SPDX-License-Identifier: Apache-2.0

import Glibc
import IPAddressing
package import JSONText
package import Netlink

/// A host for pods, in a namespace and a folder of its own, and the container runtime on it. Everything goes with it.
package final class PodHost: Sendable {
    /// Of its network namespace.
    package let namespace: String
    /// For the subnet file, the addresses, the configurations.
    package let folder: String
    private let pods = Registry()

    /// A container, or a network namespace that stands for one.
    package struct Pod: Sendable {
        package let name: String
        package init(name: String) { self.name = name }
        package var path: String { "\(NetworkNamespace.directory)/\(name)" }
    }

    package init() throws(NetlinkError) {
        let unique = String(UInt64.random(in: 0 ... .max), radix: 36)
        namespace = "tartan-cni-\(unique)"
        folder = "/tmp/tartan-cni-\(unique)"
        guard unsafe mkdir(folder, 0o700) == 0 else {
            throw NetlinkError(operand: folder, cause: .system("mkdir", ErrorNumber(errno)))
        }
        try NetworkNamespace.create(name: namespace)
    }

    deinit {
        for name in pods.all { try? NetworkNamespace.delete(name: name) }
        try? NetworkNamespace.delete(name: namespace)
        Self.removeFolder(folder)
    }

    package var subnetFile: String { "\(folder)/subnet.env" }
    /// Where a network's addresses are.
    package func addressFolder(_ network: String = "pods") -> String { "\(folder)/networks/\(network)" }

    package func makePod() throws(NetlinkError) -> Pod {
        let pod = Pod(name: "\(namespace)-\(pods.nextNumber())")
        try NetworkNamespace.create(name: pod.name)
        pods.add(pod.name)
        return pod
    }

    package func remove(_ pod: Pod) throws(NetlinkError) { try NetworkNamespace.delete(name: pod.name) }

    /// A configuration with the host's folders, and these members in place of those.
    package func configuration(
        version: String = "1.1.0", _ members: [JSONValue.Member] = []
    ) -> JSONValue {
        var object = JSONValue.object([
            .init("cniVersion", .string(version)), .init("name", .string("pods")), .init("type", .string("tartan-cni")),
            .init("subnetFile", .string(subnetFile)), .init("dataDir", .string("\(folder)/delegate")),
            .init("ipam", .object([.init("dataDir", .string("\(folder)/networks"))])), .init("ipMasq", .bool(false)),
        ])
        for member in members { object.set(member.name, member.value) }
        return object
    }

    /// Starts a plugin for one interface of a container.
    package func start(
        _ plugin: String, _ command: String, _ container: String, _ pod: Pod?, _ configuration: JSONValue,
        interface: String = "eth0", arguments: String = "", path: String = "/usr/lib/cni"
    ) throws(NetlinkError) -> PluginProcess {
        var environment = ["CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_IFNAME": interface]
        environment["CNI_PATH"] = path
        environment["CNI_NETNS"] = pod?.path
        if !arguments.isEmpty { environment["CNI_ARGS"] = arguments }
        return try PluginProcess(plugin, in: namespace, environment: environment, input: configuration.bytes)
    }

    private static func removeFolder(_ path: String) {
        guard let stream = unsafe opendir(path) else { return }
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            let inside = "\(path)/\(name)"
            if unsafe unlink(inside) != 0 { removeFolder(inside) }
        }
        unsafe closedir(stream)
        unsafe rmdir(path)
    }
}
