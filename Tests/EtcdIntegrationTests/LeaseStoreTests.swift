// SPDX-License-Identifier: Apache-2.0

import Etcd
import EtcdStore
import IPAddressing
import Lab
import Leases
import TestKit
import Testing

@Suite struct LeaseStoreTests {
    @Test func `the store in memory keeps the port's promises`() async throws {
        let store = InMemoryLeaseStore(config: .valid(try LeaseFixtures.config()))
        try await LeaseStoreConformance(store) { store.expire($0) }.run()
    }

    @Test(.enabled(if: !EtcdVersion.all.isEmpty, EtcdVersion.reason), arguments: EtcdVersion.all)
    func `the store over etcd keeps the port's promises`(version: EtcdVersion) async throws {
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let client = try cluster.client()
            let keys = KeySpace(prefix: "/coreos.com/network/")
            try await client.put(keys.config, bytes(#"{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan"}}"#))
            let other = try cluster.client()
            try await LeaseStoreConformance(EtcdLeaseStore(client: client, keys: keys)) { grant in
                // What etcd does when a grant runs out is what it does here, only that nobody waits for it.
                try await other.revoke(grant.value)
            }.run()
        }
    }

    @Test(.enabled(if: EtcdVersion.installed != nil, EtcdVersion.reason))
    func `a grant that nobody renews takes its lease along`() async throws {
        let version = try #require(EtcdVersion.installed)
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            let store = EtcdLeaseStore(client: try cluster.client(), keys: KeySpace(prefix: "/n"))
            let follower = FeedFollower(store.feed())
            let grant = try await store.grant(ttl: .milliseconds(900))
            let key = try SubnetKey(parsing: "10.244.1.0-24")
            let claim = LeaseClaim(
                key: key, announcement: LeaseFixtures.announcement(node: 1), grant: grant.id, condition: .absent,
                known: .zero)
            guard case .claimed = try await store.commit(claim) else {
                Issue.record("not claimed")
                return
            }
            try await follower.wait("the lease is there") { $0.table[key] != nil }
            try await follower.wait("the lease has expired") { $0.table[key] == nil }
            #expect(follower.state.config == .missing)
        }
    }

    @Test(.enabled(if: EtcdVersion.installed != nil, EtcdVersion.reason))
    func `an etcd that is not there is retried, and what went wrong is told in its words`() async throws {
        let version = try #require(EtcdVersion.installed)
        try await EtcdCluster.with(binaries: version.binaries) { cluster in
            await cluster.only.kill()
            let store = EtcdLeaseStore(client: try cluster.client(), keys: KeySpace(prefix: "/n"))
            do throws(LeaseStoreError) {
                _ = try await store.grant(ttl: .seconds(5))
                Issue.record("it was granted")
            } catch {
                #expect(error.remedy == .retry && !error.mayHaveApplied)
                #expect(error.description.contains("Connection refused"))
            }
            let follower = FeedFollower(store.feed())
            try await follower.wait("it tries again and again") { $0.interruptions.count >= 3 }
            #expect(!follower.state.table.isComplete)
            try await cluster.only.start()
            try await follower.wait("it lists in the end") { $0.table.isComplete }
        }
    }
}
