// SPDX-License-Identifier: Apache-2.0

import APISchema
import Foundation
import Lab
import Testing

/// `tartan lab` and its sisters, as a user runs them.
@Suite(.enabled(if: Requirements.areMet, Requirements.reason), .timeLimit(.minutes(2)))
struct LabProgramTests {
    private let name: LabName
    private let tartan: String

    init() throws {
        name = try LabScene.randomName()
        tartan = try #require(Requirements.tools).tartan
    }

    private func run(_ arguments: String...) async throws -> LabAnswer { try await .of([tartan] + arguments) }

    /// Brings a lab up for the body and takes it down after it, by the program.
    private func withLab(_ options: String..., body: (LabDescription) async throws -> Void) async throws {
        let up = try await LabAnswer.of([tartan, "lab", "up", "--json", "--name", "\(name)"] + options)
        do {
            try #require(up.status == 0, "\(up.complaint)")
            try await body(try JSONDecoder().decode(LabDescription.self, from: Data(up.output.utf8)))
        } catch {
            _ = try await run("lab", "down", "--name", "\(name)")
            throw error
        }
        let down = try await run("lab", "down", "--name", "\(name)")
        #expect(down.status == 0, "\(down.complaint)")
        #expect(try await Leftovers.of(name) == [])
    }

    @Test func `up, status, exec and down do what they say`() async throws {
        try await withLab("--nodes", "2", "--pods", "2") { lab in
            #expect(lab.nodes.count == 2)
            #expect(lab.pods.map(\.name) == ["pod1", "pod2", "pod3", "pod4"])
            #expect(lab == LabFolder(name).description)

            let status = try await run("lab", "status", "--name", "\(name)", "-o", "json")
            #expect(status.status == 0, "\(status.output)")
            let found = try JSONDecoder().decode(LabStatus.self, from: Data(status.output.utf8))
            #expect(found.state == .up)
            #expect(found.nodes.allSatisfy { $0.phase == "leased" })

            let ping = try await run(
                "lab", "exec", "--name", "\(name)", "pod1", "--", "ping", "-c1", lab.pods[3].address)
            #expect(ping.status == 0 && ping.output.contains("1 packets transmitted, 1 received"))
            let again = try await run("lab", "up", "--name", "\(name)")
            #expect(again.status == 1)
            #expect(again.complaint.hasPrefix("tartan: the lab '\(name)' is up"), "\(again.complaint)")
        }
        #expect(try await run("lab", "down", "--name", "\(name)").status == 0)
        #expect(try await run("lab", "status", "--name", "\(name)").status == 1)
    }

    @Test func `a command in a lab has its own exit code, signal and output`() async throws {
        try await withLab("--nodes", "1", "--pods", "0") { _ in
            func exec(_ place: String, _ command: String...) async throws -> LabAnswer {
                try await .of([tartan, "lab", "exec", "--name", "\(name)", place, "--"] + command)
            }
            #expect(try await exec("node1", "sh", "-c", "exit 7").status == 7)
            #expect(try await exec("node1", "sh", "-c", "kill -TERM $$").status == 128 + SIGTERM)
            let both = try await exec("node1", "sh", "-c", "echo out; echo err >&2")
            #expect((both.output, both.complaint) == ("out\n", "err\n"))
            let mask = try await exec("node1", "sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status")
            #expect(mask.output.contains("SigBlk:\t0000000000000000"), "\(mask.output)")
            #expect(try await exec("node1", "no-such-program").status == 127)
            #expect(try await exec("node1", "/etc/passwd").status == 126)
            let absent = try await exec("pod9", "true")
            #expect(absent.status == 64)
            #expect(absent.complaint.contains("it has switch node1"), "\(absent.complaint)")
            let blind = try await LabAnswer.of(
                ["setpriv", "--bounding-set=-all", "--inh-caps=-all", tartan, "lab", "status", "--name", "\(name)"])
            #expect(blind.status == 77, "\(blind.complaint)")
            #expect(blind.complaint.contains("run it as root"))
        }
        #expect(try await run("lab", "exec", "--name", "\(name)", "pod1", "--", "true").status == 69)
    }

    @Test func `a watch ends with its reader and on Ctrl-C, and a lookup tells every step of the way`() async throws {
        try await withLab("--nodes", "2", "--pods", "0") { lab in
            let server = lab.nodes[0].server
            let inside = ["--etcd-endpoints", lab.etcd.endpoint].joined(separator: " ")
            let direct = "\(tartan) lab exec --name \(name) switch -- \(tartan) leases --watch \(inside)"
            for watch in ["\(tartan) leases --watch --server \(server)", direct] {
                let script = "timeout 20 \(watch) | head -n 1; echo ${PIPESTATUS[0]}"
                let piped = try await LabAnswer.of(["bash", "-c", script])
                #expect(piped.output.split(separator: "\n").last == "141", "\(piped.output)\(piped.complaint)")
                #expect(piped.complaint.isEmpty, "\(piped.complaint)")
            }
            let interrupted = try await LabAnswer.of(
                ["timeout", "--preserve-status", "-s", "INT", "1", tartan, "leases", "--watch", "--server", server])
            #expect(interrupted.status == 128 + SIGINT, "\(interrupted.status)")
            #expect(interrupted.output.contains("present") && interrupted.complaint.isEmpty, "\(interrupted.complaint)")

            let gateway = try #require(lab.nodes[1].gateway)
            let lookup = try await run("lookup", gateway, "--server", server)
            #expect(lookup.status == 0, "\(lookup.output)\(lookup.complaint)")
            for step in ["Lease", "Route", "Neighbor", "FDB"] {
                #expect(
                    lookup.output.split(separator: "\n").contains { $0.contains(step) && $0.hasSuffix(" ok") },
                    "\(step)")
            }
            #expect(lookup.output.contains("Underlay") && lookup.output.contains(lab.nodes[1].address))
            let nobody = try await run("lookup", "10.255.255.1", "--server", server)
            #expect(nobody.status == 1, "\(nobody.output)")
        }
    }

    @Test func `leases are the same from a daemon, from etcd, and in each form`() async throws {
        try await withLab("--nodes", "2", "--pods", "0") { lab in
            let table = try await run("leases", "--server", lab.nodes[0].server)
            #expect(table.status == 0, "\(table.complaint)")
            #expect(table.output.split(separator: "\n").count == 3)
            #expect(
                lab.nodes.allSatisfy { table.output.contains($0.subnet ?? "-") && table.output.contains($0.address) })
            #expect(table.output.contains("this node"))

            let answer = try await run("leases", "-o", "json", "--server", lab.nodes[1].server)
            var list = try JSONDecoder().decode(LeaseListDocument.self, from: Data(answer.output.utf8))
            let direct = try await run(
                "lab", "exec", "--name", "\(name)", "switch", "--", tartan, "leases", "-o", "json", "--etcd-endpoints",
                lab.etcd.endpoint)
            #expect(direct.status == 0, "\(direct.complaint)")
            let other = try JSONDecoder().decode(LeaseListDocument.self, from: Data(direct.output.utf8))
            for index in list.items.indices { list.items[index].local = false }
            #expect(list.items == other.items)

            let subnet = try #require(lab.nodes[0].subnet)
            let lease = try await run("lease", subnet, "--server", lab.nodes[1].server)
            #expect(lease.output.contains("Node:        node1\n"), "\(lease.output)\(lease.complaint)")
            #expect(try await run("lease", "10.1.2.0/24", "--server", lab.nodes[1].server).status == 1)
            let reserve = try await run(
                "reserve", "10.244.200.0/24", "--node", "n", "--public-ip", "10.0.0.1", "--server", lab.nodes[0].server)
            #expect(reserve.status == 0, "\(reserve.complaint)")
            let isSeen = try await LabScene.eventually {
                try await run("lease", "10.244.200.0/24", "--server", lab.nodes[1].server).status == 0
            }
            #expect(isSeen)
            let again = try await run(
                "reserve", "10.244.200.0/24", "--node", "m", "--public-ip", "10.0.0.2", "--server", lab.nodes[0].server)
            #expect(again.status == 1, "\(again.complaint)")
            let release = try await run("release", "10.244.200.0/24", "--server", lab.nodes[1].server)
            #expect(release.status == 0, "\(release.complaint)")
            let isGone = try await LabScene.eventually {
                try await run("lease", "10.244.200.0/24", "--server", lab.nodes[0].server).status == 1
            }
            #expect(isGone)
            let network = try await run("network", "show", "--server", lab.nodes[0].server)
            #expect(network.output.contains("Used:      2\n"), "\(network.output)\(network.complaint)")
            let lookup = try await run("lookup", try #require(lab.nodes[1].gateway), "--server", lab.nodes[0].server)
            #expect(lookup.status == 0, "\(lookup.output)\(lookup.complaint)")
            #expect(lookup.output.contains("of node2") && lookup.output.contains(lab.nodes[1].address))
        }
    }

    @Test func `after a kill of its keeper a lab is broken, refuses another, and can be taken down`() async throws {
        try await withLab("--nodes", "1", "--pods", "1") { lab in
            kill(lab.keeper, SIGKILL)
            #expect(try await LabScene.eventually { LabFolder(name).keeper == nil })
            let status = try await run("lab", "status", "--name", "\(name)", "-o", "json")
            #expect(status.status == 1)
            #expect(try JSONDecoder().decode(LabStatus.self, from: Data(status.output.utf8)).state == .broken)
            let again = try await run("lab", "up", "--name", "\(name)")
            #expect(again.status == 1)
            #expect(again.complaint.contains("tartan lab down --name \(name)"), "\(again.complaint)")
        }
    }

    @Test func `a killed daemon and a killed etcd do not keep a lab from ending`() async throws {
        try await withLab("--nodes", "2", "--pods", "1") { lab in
            for number in [lab.nodes[0].pid, lab.etcd.pid] { kill(try #require(number), SIGKILL) }
            let isSeen = try await LabScene.eventually {
                let status = try await run("lab", "status", "--name", "\(name)", "-o", "json")
                let found = try JSONDecoder().decode(LabStatus.self, from: Data(status.output.utf8))
                return found.state == .broken && !found.nodes[0].isRunning
            }
            #expect(isSeen)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal in the middle of up takes down what was made`(signal: Int32) async throws {
        let directory = try TemporaryDirectory("lab-test")
        defer { directory.remove() }
        let log = "\(directory.path)/log"
        let up = try await ChildProcess.start([tartan, "lab", "up", "--name", "\(name)", "--nodes", "20"], log: log)
        func said() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
        #expect(try await LabScene.eventually { said().contains("starting 20 daemons") }, "\(said())")
        up.signal(signal)
        #expect(await up.ended() == 130)
        #expect(said().contains("interrupted"), "\(said())")
        // What was being started when its namespace went ends by itself as soon as it finds no such namespace.
        var left: [String] = []
        let isEmpty = try await LabScene.eventually {
            left = try await Leftovers.of(name)
            return left.isEmpty
        }
        #expect(isEmpty, "\(left)")
    }

    @Test func `a killed up leaves nothing that down does not take`() async throws {
        let directory = try TemporaryDirectory("lab-test")
        defer { directory.remove() }
        let log = "\(directory.path)/log"
        let up = try await ChildProcess.start([tartan, "lab", "up", "--name", "\(name)", "--nodes", "20"], log: log)
        #expect(
            try await LabScene.eventually {
                (try? String(contentsOfFile: log, encoding: .utf8))?.contains("starting 20 daemons") == true
            })
        up.signal(SIGKILL)
        await up.ended()
        let down = try await run("lab", "down", "--name", "\(name)")
        #expect(down.status == 0, "\(down.complaint)")
        #expect(try await Leftovers.of(name) == [])
    }

    @Test func `without privilege up is refused with 77`() async throws {
        let answer = try await LabAnswer.of(
            ["setpriv", "--bounding-set=-all", "--inh-caps=-all", tartan, "lab", "up", "--name", "\(name)"])
        #expect(answer.status == 77, "\(answer.complaint)")
        #expect(answer.complaint.contains("run it as root"))
        #expect(try await Leftovers.of(name) == [])
    }

    @Test func `without etcd up is refused with 69 and names the package`() async throws {
        let answer = try await LabAnswer.of(["TARTAN_ETCD=/nonexistent", tartan, "lab", "up", "--name", "\(name)"])
        #expect(answer.status == 69, "\(answer.complaint)")
        #expect(answer.complaint.contains("etcd-server"))
    }

    @Test func `what a lab can't be is refused with the daemon's own code, and before anything is made`() async throws {
        let bogus = try await run("lab", "up", "--name", "\(name)", "--nodes", "1", "--", "--bogus")
        #expect(bogus.status == 64, "\(bogus.complaint)")
        let last = try #require(bogus.complaint.split(separator: "\n").last)
        #expect(last.hasPrefix("tartan: the daemon of node1 ended:") && !last.contains("tartand: "), "\(last)")
        for network in ["10.244.0.0/30", "10.244.0.0/28", "x"] {
            let answer = try await run("lab", "up", "--name", "\(name)", "--nodes", "9", "--network", network)
            #expect(answer.status == 64, "\(answer.complaint)")
            #expect(answer.complaint.hasPrefix("tartan: --network "), "\(answer.complaint)")
        }
        #expect(try await Leftovers.of(name) == [])
    }

    @Test func `a config comes through a pipe, and a full disk is told`() async throws {
        let folder = try TemporaryDirectory("lab-test")
        defer { folder.remove() }
        let closed = "--etcd-endpoints http://127.0.0.1:1"
        let piped = try await LabAnswer.of([
            "sh", "-c", "echo '[]' | '\(tartan)' network init --file - \(closed)",
        ])
        #expect(piped.status == 78, "\(piped.complaint)")
        #expect(piped.complaint.contains("must be a JSON object"), "\(piped.complaint)")
        let full = try await LabAnswer.of(["sh", "-c", "'\(tartan)' --help > /dev/full"])
        #expect(full.status == 69)
        #expect(full.complaint.contains("the output can't be written: No space left"), "\(full.complaint)")
        let wrong = try await run("lease", "10.244.18.5/24")
        #expect(wrong.status == 64)
        #expect(
            wrong.complaint
                == "tartan: '10.244.18.5/24' is an address within the subnet 10.244.18.0/24; give the subnet "
                + "itself; see 'tartan lease --help'\n")
    }

    @Test func `without tartand up is refused with 69`() async throws {
        let answer = try await run("lab", "up", "--name", "\(name)", "--tartand", "/nonexistent")
        #expect(answer.status == 69, "\(answer.complaint)")
        #expect(answer.complaint.contains("--tartand"))
    }
}
