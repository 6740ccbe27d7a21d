// SPDX-License-Identifier: Apache-2.0

/// An etcd of one or three members on this machine's loopback interface, with its data in a temporary directory.
package struct EtcdCluster: Sendable {
    package let members: [EtcdProcess]
    package let directory: TemporaryDirectory

    /// The member of a cluster that has only one.
    package var only: EtcdProcess { members[0] }

    package var endpoints: [String] { members.map(\.endpoint) }

    /// Runs a cluster for as long as the body takes, and leaves nothing of it, however the body ends.
    ///
    /// - Parameter configure: changes the settings of each member, which have an address by then.
    package static func with<Result>(
        members count: Int = 1, binaries: EtcdBinaries,
        configure: (inout EtcdSettings, TemporaryDirectory) async throws -> Void = { _, _ in },
        body: (EtcdCluster) async throws -> Result
    ) async throws -> Result {
        let directory = try TemporaryDirectory("etcd")
        defer { directory.remove() }
        var settings: [EtcdSettings] = []
        for number in 1...count {
            var member = EtcdSettings(name: "m\(number)", address: Loopback.address(), binaries: binaries)
            try await configure(&member, directory)
            settings.append(member)
        }
        let cluster = EtcdCluster(
            members: settings.map { EtcdProcess(settings: $0, members: settings, directory: directory.path) },
            directory: directory)
        let result: Swift.Result<Result, any Error>
        do {
            try await cluster.start()
            result = .success(try await body(cluster))
        } catch {
            result = .failure(error)
        }
        for member in cluster.members { await member.kill() }
        return try result.get()
    }

    private func start() async throws {
        for member in members { try await member.launch() }
        for member in members { try await member.ready() }
    }
}

/// The loopback network, all 16 million addresses of which are this machine.
package enum Loopback {
    /// One that surely nobody else uses at the moment: with an address of one's own the usual ports are free.
    package static func address() -> String {
        "127.\(UInt8.random(in: 1...254)).\(UInt8.random(in: 1...254)).\(UInt8.random(in: 1...254))"
    }
}
