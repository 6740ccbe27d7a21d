// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// Named namespaces, kept the way `ip netns` keeps them (ip-netns(8)): a file in /run/netns that the namespace is
/// mounted on, so that it lives on without a process.
extension NetworkNamespace {
    /// Makes a new namespace of that name, its loopback interface up; fails with EEXIST where there is one.
    package static func create(name: String) throws(NetlinkError) {
        let path = try path(of: name)
        let operand = "network namespace \(name)"
        try shareDirectory()
        let file = unsafe open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0)
        guard file >= 0 else { throw NetlinkError(operand: operand, cause: .system("open", .last)) }
        close(file)
        do throws(NetlinkError) {
            try HelperThread.run { () throws(NetlinkError) in
                guard clinux_unshare_network_namespace() == 0 else {
                    throw NetlinkError(operand: operand, cause: .system("unshare", .last))
                }
                guard unsafe clinux_mount_bind(threadPath, path, 0) == 0 else {
                    throw NetlinkError(operand: operand, cause: .system("mount", .last))
                }
                var connection = try RouteConnection()
                try connection.perform(.new, LinkMessage(index: 1, isUp: true))
            }
        } catch {
            try? delete(name: name)
            throw error
        }
    }

    /// Takes the name away, and with it the namespace once no process is in it and nothing holds it open; success
    /// also where there is none.
    package static func delete(name: String) throws(NetlinkError) {
        let path = try path(of: name)
        // Not mounted is as good; what else may be wrong, `unlink` says.
        _ = unsafe clinux_unmount_detached(path)
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw NetlinkError(operand: "network namespace \(name)", cause: .system("unlink", .last))
        }
    }

    /// Makes /run/netns a mount that passes its own mounts on to every mount namespace, so that a process with an
    /// older view can still take a name away. Locked as `ip netns` does: two at once would mount it twice.
    private static func shareDirectory() throws(NetlinkError) {
        guard unsafe mkdir(directory, 0o755) == 0 || errno == EEXIST else {
            throw NetlinkError(operand: directory, cause: .system("mkdir", .last))
        }
        let lock = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard lock >= 0 else { throw NetlinkError(operand: directory, cause: .system("open", .last)) }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw NetlinkError(operand: directory, cause: .system("flock", .last)) }
        }
        if unsafe clinux_mount_shared(directory) == 0 { return }
        // EINVAL: it is a directory like any other yet, so it becomes a mount of itself.
        guard errno == EINVAL, unsafe clinux_mount_bind(directory, directory, 1) == 0,
            unsafe clinux_mount_shared(directory) == 0
        else { throw NetlinkError(operand: directory, cause: .system("mount", .last)) }
    }
}
