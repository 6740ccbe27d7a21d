// SPDX-License-Identifier: Apache-2.0

import Etcd
import Foundation
import Logging
import Testing

/// The judges of a run of faults find what they are there to find.
@Suite struct FaultCheckTests {
    private func belief(_ node: String, _ subnet: String, _ span: Range<Int64>) -> Belief {
        Belief(node: node, subnet: subnet, from: span.lowerBound, until: span.upperBound)
    }

    @Test func `two nodes with one subnet at one time are found, one after the other are not`() {
        let one = belief("node1", "10.244.1.0-24", 100..<200)
        #expect(Belief.contradictions(in: [one, belief("node2", "10.244.1.0-24", 200..<300)]).isEmpty)
        #expect(Belief.contradictions(in: [one, belief("node2", "10.244.2.0-24", 100..<200)]).isEmpty)
        #expect(Belief.contradictions(in: [one, belief("node1", "10.244.1.0-24", 150..<250)]).isEmpty)
        #expect(Belief.contradictions(in: [belief("node2", "10.244.1.0-24", 199..<300), one]).count == 1)
    }

    @Test func `a belief ends at its deadline, at the next word, or with the daemon`() {
        func line(_ phase: String, _ at: Int, _ subnet: String?, until: Int?) -> String {
            let subnet = subnet.map { #","subnet":"\#($0)""# } ?? ""
            let until = until.map { #","until":"\#($0)""# } ?? ""
            return #"{"at":"\#(at)","message":"what this node holds","phase":"\#(phase)"\#(subnet)\#(until)}"#
        }
        let log = [
            line("leased", 100, "a", until: 900), line("renewing", 300, "a", until: 900),
            line("fenced", 1000, "a", until: 900), #"{"message":"something else","at":"5"}"#,
            line("starting", 1100, nil, until: nil), line("leased", 1200, "b", until: 2000),
        ].joined(separator: "\n")
        let expected = [belief("n", "a", 100..<300), belief("n", "a", 300..<900)]
        #expect(Belief.read(log, of: "n", deaths: []) == expected + [belief("n", "b", 1200..<2000)])
        #expect(Belief.read(log, of: "n", deaths: [50, 1300]) == expected + [belief("n", "b", 1200..<1300)])
    }

    @Test func `lost packets are found with their time`() throws {
        let text = """
            PING 10.244.2.2 (10.244.2.2) 56(84) bytes of data.
            [1000.100000] 64 bytes from 10.244.2.2: icmp_seq=1 ttl=62 time=0.1 ms
            [1000.300000] no answer yet for icmp_seq=2
            [1000.400000] 64 bytes from 10.244.2.2: icmp_seq=3 ttl=62 time=90 ms
            [1000.500000] no answer yet for icmp_seq=4
            [1000.520000] 64 bytes from 10.244.2.2: icmp_seq=4 ttl=62 time=190 ms
            [1000.600000] From 10.244.1.1 icmp_seq=5 Destination Host Unreachable
            """
        let record = PingRecord(text, offset: 400_000)
        #expect(record.sent == 5)
        #expect(record.lost.map(\.number) == [2, 5])
        #expect(record.lost.map(\.at) == [600_300, 600_600])
    }

    @Test func `a seed gives the same faults each time, and every kind`() {
        func draw(_ seed: UInt64) -> [Fault] {
            var schedule = FaultSchedule(seed: seed, ttl: 10)
            return (0..<40).flatMap { _ in
                let (first, second, _) = schedule.next()
                return [first] + (second.map { [$0] } ?? [])
            }
        }
        #expect(draw(7) == draw(7))
        #expect(draw(7) != draw(8))
        #expect(Set(draw(7).map(\.kind)) == Set(Fault.Kind.allCases))
    }

    @Test func `a key that changes hands without a delete is found, after a restore it is not`() async throws {
        let client = EtcdClient(
            configuration: try EtcdConfiguration(endpoints: ["127.0.0.1:1"]),
            logger: Logger(label: "none") { _ in SwiftLogNoOpLogHandler() })
        func key(of owner: String, made: Int64, written: Int64) -> KeyValue {
            var key = KeyValue()
            key.key = Array("/p/subnets/10.244.1.0-24".utf8)
            key.value = Array(#"{"PublicIP":"192.0.2.1","BackendType":"alloc","NodeName":"\#(owner)"}"#.utf8)
            (key.createRevision, key.modRevision) = (made, written)
            return key
        }
        let history = EtcdHistory(client: client, prefix: "/p")
        history.listed([key(of: "node1", made: 5, written: 5)])
        history.happened(.delete(key: Array("/p/subnets/10.244.1.0-24".utf8), modRevision: 6))
        history.happened(.put(key(of: "node2", made: 7, written: 7)))
        history.listed([key(of: "node3", made: 9, written: 9)])
        #expect(history.violations == [])
        #expect(history.absences(of: "node1").count == 1)
        history.expectReplacement()
        history.listed([key(of: "node1", made: 9, written: 9)])
        #expect(history.violations == [])
        history.listed([key(of: "node2", made: 9, written: 12)])
        history.happened(.put(key(of: "node4", made: 9, written: 14)))
        #expect(history.violations.count == 2)
        await client.shutdown()
    }
}
