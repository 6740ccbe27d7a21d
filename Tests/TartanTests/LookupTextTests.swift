// SPDX-License-Identifier: Apache-2.0

import APISchema
import Testing

@testable import tartan

@Suite struct LookupTextTests {
    private let lease = LeaseDocument(
        subnet: "10.244.21.0/24", ipv6Subnet: nil, node: "n2", publicIP: "192.168.1.11", publicIPv6: nil, kind: .lease,
        owner: "tartan", backend: BackendDocument(type: "vxlan", vni: 1, vtepMAC: "62:0f:5e:aa:10:02"), etcdLease: "1",
        createRevision: "1", modRevision: "1", expiresAt: nil, local: false)

    private func lookup(_ steps: [PathStepDocument], problem: String?) -> LookupDocument {
        LookupDocument(
            ip: "10.244.21.7", inNetwork: true, lease: lease,
            path: PathDocument(kind: .vxlan, route: "10.244.21.0/24"), steps: steps, problem: problem)
    }

    @Test func `each step is a line, and the broken one says what is wrong`() {
        let fault = "the kernel has no 'fdb 62:0f:5e:aa:10:02 dst 192.168.1.11'"
        let text = LookupCommand.text(
            of: lookup(
                [
                    PathStepDocument(.lease, wanted: "10.244.21.0/24 of n2", present: "10.244.21.0/24 of n2"),
                    PathStepDocument(.nextHop, wanted: "nexthop id 7", present: "nexthop id 7"),
                    PathStepDocument(
                        .fdb, wanted: "fdb 62:0f:5e:aa:10:02 dst 192.168.1.11", present: nil, problem: fault),
                    PathStepDocument(.underlay, wanted: "to 192.168.1.11", present: "not looked at"),
                ], problem: fault), colour: false)
        #expect(
            text == """
                10.244.21.7
                  Lease     10.244.21.0/24 of n2  ok
                  Next hop  nexthop id 7  ok
                  FDB       fdb 62:0f:5e:aa:10:02 dst 192.168.1.11  WRONG
                            the kernel has no 'fdb 62:0f:5e:aa:10:02 dst 192.168.1.11'
                  Underlay  to 192.168.1.11  not looked at

                """)
    }

    @Test func `an address that nobody has says so, once`() {
        let document = LookupDocument(
            ip: "10.244.9.9", inNetwork: true, lease: nil, path: nil, problem: "no lease has 10.244.9.9")
        #expect(
            LookupCommand.text(of: document, colour: false) == "10.244.9.9\n  nobody's\n  no lease has 10.244.9.9\n")
    }

    @Test func `colour is only where it is asked for`() {
        let steps = [PathStepDocument(.route, wanted: "r", present: nil, problem: "gone")]
        #expect(LookupCommand.text(of: lookup(steps, problem: "gone"), colour: true).contains("\u{1B}[31m"))
        #expect(!LookupCommand.text(of: lookup(steps, problem: "gone"), colour: false).contains("\u{1B}"))
    }
}
