// SPDX-License-Identifier: Apache-2.0

import Glibc
package import Lab
package import Netlink
import SystemPackage

/// A `tartand` in the scene.
package struct DaemonProcess {
    package let scene: PeersScene
    package let process: ChildProcess
    package let subnetFile: String

    /// The one that was named, or the one that lies beside this program.
    package static func program(_ named: String?) throws -> String {
        if let named { return named }
        var here = FilePath(CommandLine.arguments[0])
        here.removeLastComponent()
        let beside = here.appending("tartand").string
        guard unsafe access(beside, X_OK) == 0 else {
            throw BenchmarkError("there is no \(beside); build it with 'swift build -c release --product tartand'")
        }
        return beside
    }

    /// - Parameter number: tells this start's files from those of another.
    package init(_ program: String, in scene: PeersScene, number: Int = 1) async throws {
        let folder = "\(scene.directory.path)/run\(number)"
        subnetFile = "\(folder)/subnet.env"
        self.scene = scene
        process = try await ChildProcess.start(
            [
                "ip", "netns", "exec", scene.namespace, program, "--etcd-endpoints", scene.etcd.endpoint,
                "--node-name", "measured", "--state-dir", "\(folder)/state", "--subnet-file", subnetFile,
                "--api-listen", "unix:\(folder)/api.sock", "--on-shutdown", "release",
            ], log: "\(scene.directory.path)/tartand-\(number).log")
    }

    package func waitForSubnetFile() async throws {
        try await wait("the subnet file", pause: .milliseconds(1)) { unsafe access(subnetFile, R_OK) == 0 }
    }

    /// Four of every peer.
    package func waitForEntries(_ socket: RouteSocket) async throws {
        try await wait("every entry in the kernel", pause: .milliseconds(5)) {
            // While the daemon writes, a table may change each time it is read.
            (try? await entries(socket)) == 4 * scene.peers.count
        }
    }

    /// Neighbours, forwarding entries, next hops and routes of Tartan's.
    private func entries(_ socket: RouteSocket) async throws -> Int {
        guard let device = try await socket.link(named: PeersScene.device) else { return 0 }
        let origin = RouteMessage.Origin(rawValue: 116)
        return try await socket.neighbors(.ipv4, device: device.index).count
            + socket.neighbors(.fdb, device: device.index).count + socket.nextHops(device: device.index).count
            + socket.routes(.filter(origin: origin)).count
    }

    private func wait(_ what: String, pause: Duration, until isThere: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try await !isThere() {
            guard process.isRunning, .now < deadline else {
                throw BenchmarkError(
                    "\(what): not there\(process.isRunning ? " in 300 s" : ", tartand ended"); see its log in "
                        + scene.directory.path)
            }
            try await Task.sleep(for: pause)
        }
    }
}
