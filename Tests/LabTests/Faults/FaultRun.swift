// SPDX-License-Identifier: Apache-2.0

import APISchema
import Etcd
import Foundation
import Lab
import Logging
import Netlink
import NodeClient
import Testing

/// One run: the lab, those who watch it, and what they saw.
struct FaultRun {
    let cluster: LabCluster
    let lab: LabDescription
    let client: EtcdClient
    let history: EtcdHistory
    let log = FaultLog()
    let injector: FaultInjector
    let ttl: Int
    /// Milliseconds from the machine's start to 1970.
    let offset: Int64
    var pingLog: String { "\(lab.folder)/ping.log" }

    init(_ cluster: LabCluster, ttl: Int) async throws {
        self.cluster = cluster
        self.ttl = ttl
        lab = await cluster.description
        let configuration = try EtcdConfiguration(endpoints: cluster.members.map(\.endpoint))
        client = try NetworkNamespace(name: lab.etcd.namespace).run { () throws(NetlinkError) in
            EtcdClient(configuration: configuration, logger: Logger(label: "history") { _ in SwiftLogNoOpLogHandler() })
        }
        history = EtcdHistory(client: client, prefix: lab.etcd.prefix)
        injector = FaultInjector(cluster: cluster, client: client, history: history, log: log, ttl: ttl)
        offset = Int64(Date.now.timeIntervalSince1970 * 1000) - Moment.now
    }

    /// Runs the body while the history is followed and the ping runs.
    func follow(_ body: () async throws -> Void) async throws {
        let follower = Task { [history] in await history.follow() }
        let result: Result<Void, any Error>
        do {
            let ping = try await ChildProcess.start(
                try cluster.launcher(into: lab.pods[0].name) + [
                    "ping", "-n", "-D", "-O", "-i", "0.1", lab.pods[1].address,
                ], log: pingLog)
            try #require(try await LabScene.eventually { history.current.count == lab.nodes.count })
            do {
                try await body()
                result = .success(())
            } catch {
                result = .failure(error)
            }
            ping.signal(SIGINT)
            await ping.ended()
        } catch {
            result = .failure(error)
        }
        follower.cancel()
        await follower.value
        await client.shutdown()
        try result.get()
    }

    func inject(seed: UInt64, seconds: Int) async throws {
        var schedule = FaultSchedule(seed: seed, ttl: Double(ttl))
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            let (first, second, offset) = schedule.next()
            try await withThrowingTaskGroup { group in
                group.addTask { try await injector.run(first) }
                if let second {
                    group.addTask {
                        try await Task.sleep(for: .seconds(offset))
                        try await injector.run(second)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Everything is healed: waits until every part says what it should.
    func settle() async throws {
        log.say("all is healed")
        var complaint: String? = "not looked yet"
        let isSettled = try await LabScene.eventually(within: .seconds(45)) {
            complaint = try await unsettled()
            return complaint == nil
        }
        #expect(isSettled, "after 45 s: \(complaint ?? "")")
        log.say("settled")
        // The ping is to be seen running again.
        try await Task.sleep(for: .seconds(1))
    }

    /// What is not yet as it should be; `nil`: nothing.
    private func unsettled() async throws -> String? {
        var subnets: [String: String] = [:]
        for node in lab.nodes {
            guard let answer = try? await cluster.client(of: node.name).node() else { return "\(node.name) is silent" }
            guard answer.ready, let subnet = answer.lease?.subnet else {
                return "\(node.name) is not ready: \(answer.problems)"
            }
            subnets[node.name] = subnet
        }
        guard Set(subnets.values).count == lab.nodes.count else { return "two nodes have one subnet: \(subnets)" }
        let keys = history.current
        let expected = Dictionary(
            uniqueKeysWithValues: subnets.map { ($0.value.replacingOccurrences(of: "/", with: "-"), $0.key) })
        guard keys.mapValues(\.owner) == expected, Set(keys.values.map(\.grant)).count == lab.nodes.count else {
            return "etcd has \(keys), the nodes have \(subnets)"
        }
        for node in lab.nodes {
            let text = try await LabAnswer.of(
                ["ip", "netns", "exec", node.namespace, "ip", "-4", "route", "show", "proto", "116"]
            ).output
            let routes = text.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
            let wanted = subnets.filter { $0.key != node.name }.values.sorted()
            guard routes.sorted() == wanted else { return "\(node.name) has routes \(routes), not \(wanted)" }
        }
        return nil
    }
}
