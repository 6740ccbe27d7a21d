// SPDX-License-Identifier: Apache-2.0

import Glibc
import Netlink

/// The container's network namespace and the host's, between which this process, which has one thread, goes over.
struct PodNamespace: ~Copyable {
    let path: String
    let pod: NetworkNamespace
    private let host: NetworkNamespace

    private init(path: String, pod: consuming NetworkNamespace, host: consuming NetworkNamespace) {
        self.path = path
        self.pod = pod
        self.host = host
    }

    static func open(_ path: String) throws(PluginError) -> PodNamespace {
        guard Disk.exists(path) else {
            throw PluginError(.unknownContainer, "CNI_NETNS=\(path) is not there: the container is gone")
        }
        let pod = try kernel("opening the container") { () throws(NetlinkError) in try NetworkNamespace(path: path) }
        let host = try kernel("opening the host's namespace") { () throws(NetlinkError) in
            try NetworkNamespace.current()
        }
        guard inode(pod.descriptor) != inode(host.descriptor) else {
            throw PluginError(
                .badEnvironment, "CNI_NETNS=\(path) is the host's own namespace; a container must have one of its own")
        }
        return PodNamespace(path: path, pod: pod, host: host)
    }

    /// Runs the body inside the container and comes back.
    borrowing func inside<Value>(_ body: () throws(PluginError) -> Value) throws(PluginError) -> Value {
        do { try pod.enter() } catch { throw PluginError(error, doing: "entering the container's namespace \(path)") }
        let result: Result<Value, PluginError>
        do throws(PluginError) { result = .success(try body()) } catch { result = .failure(error) }
        do { try host.enter() } catch { throw PluginError(error, doing: "coming back from \(path)") }
        return try result.get()
    }

    private static func inode(_ descriptor: Int32) -> [UInt64] {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return [UInt64(bitPattern: Int64(descriptor))] }
        return [UInt64(status.st_dev), UInt64(status.st_ino)]
    }
}
