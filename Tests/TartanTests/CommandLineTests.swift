// SPDX-License-Identifier: Apache-2.0

import APISchema
import ArgumentParser
import CurlHTTP
import Glibc
import Lab
import Leases
import NodeClient
import Testing

@testable import tartan

@Suite struct CommandLineTests {
    @Test(arguments: [
        ["leases", "-o", "xml"], ["lease"], ["lease", "10.244.20.7/24"], ["lookup", "10.244.20"], ["frob"],
        ["leases", "--frob"], ["leases", "--server", "x", "--etcd-endpoints", "y"], ["lab", "exec", "pod1"],
        ["lab", "exec", "pod1", "true"], ["reserve", "10.244.20.0/24"],
        ["reserve", "10.244.20.0/24", "--node", "n", "--public-ip", "x"], ["lab", "up", "--nodes", "two"],
        ["completion"], ["completion", "tcsh"], ["leases", "--token", "x"],
        ["leases", "--ca", "x", "--etcd-endpoints", "y"],
    ])
    func `wrong usage is 64`(arguments: [String]) {
        let error = #expect(throws: (any Error).self) { try TartanCommand.parseAsRoot(arguments) }
        if let error { #expect(TartanCommand.exitCode(for: error).rawValue == tartan.ExitStatus.usage.rawValue) }
    }

    @Test(arguments: [
        ["leases", "-ojson"], ["leases", "--watch", "-o", "yaml", "--server", "unix:/x"], ["lease", "10.244.20.0-24"],
        ["lease", "10.244.20.0/24"], ["lookup", "fd00::1"], ["network", "show"], ["lab", "up", "--json"],
        ["lab", "exec", "pod1", "--name", "x", "--", "ping", "-c", "1"], ["lab", "up", "--", "--log-level", "debug"],
    ])
    func `right usage is taken`(arguments: [String]) throws {
        _ = try TartanCommand.parseAsRoot(arguments)
    }

    @Test func `what follows the dashes is the command's`() throws {
        let command = try #require(
            try TartanCommand.parseAsRoot(["lab", "exec", "pod1", "--", "ping", "--name", "x"]) as? LabExecCommand)
        #expect(command.command == ["ping", "--name", "x"])
        #expect(command.options.name == "lab")
    }

    @Test(arguments: [
        (
            ["leases", "-o", "xml"],
            "the value 'xml' is invalid for '-o <output>'; it must be one of 'table', 'json' or 'yaml'; see 'tartan leases --help'"
        ),
        (
            ["leases", "--serve", "x"],
            "unknown option '--serve' (did you mean '--server'?); see 'tartan leases --help'"
        ),
        (["lease"], "missing expected argument '<subnet>'; see 'tartan lease --help'"),
        (["lab", "up", "--nodes", "x"], "the value 'x' is invalid for '--nodes <nodes>'; see 'tartan lab up --help'"),
        (["frob"], "unexpected argument 'frob'; see 'tartan --help'"),
        (
            ["lease", "10.244.18.5/24"],
            "'10.244.18.5/24' is an address within the subnet 10.244.18.0/24; give the subnet itself; see 'tartan lease --help'"
        ),
    ])
    func `what is wrong with the arguments is one sentence`(arguments: [String], sentence: String) throws {
        let error = try #require(throws: (any Error).self) { try TartanCommand.parseAsRoot(arguments) }
        #expect(UsageSentence.text(TartanCommand.message(for: error), arguments: ["tartan"] + arguments) == sentence)
    }

    @Test func `what can't be written is an error`() throws {
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let error = #expect(throws: ProgramError.self) { try Terminal.write("x", to: full) }
        #expect(error?.status == .unavailable)
    }

    @Test func `every error has its exit code`() {
        let unreachable = NodeClientError.unreachable(
            .couldNotConnect(endpoint: "x", reason: "refused"), server: .standard)
        let cases: [(any Error, tartan.ExitStatus)] = [
            (unreachable, .unavailable),
            (NodeClientError.refused(.init(title: "", status: 409, detail: "taken")), .refused),
            (NodeClientError.refused(.init(title: "", status: 401, detail: "who")), .notPermitted),
            (NodeClientError.refused(.init(title: "", status: 403, detail: "no")), .notPermitted),
            (NodeClientError.badAccess("no token"), .configuration),
            (NodeClientError.refused(.init(title: "", status: 503, detail: "later")), .unavailable),
            (LeaseStoreError(remedy: .retry, description: "down"), .unavailable),
            (LeaseStoreError(remedy: .operatorNeeded, description: "no"), .configuration),
            (NetworkConfigError(field: "Network", reason: "is missing"), .configuration),
            (LabFault(.notPermitted, "root"), .notPermitted), (LabFault(.missing, "etcd"), .unavailable),
            (LabFault(.conflict, "up"), .refused), (CancellationError(), .unavailable),
        ]
        for (error, status) in cases { #expect(ProgramError(error).status == status, "\(error)") }
    }
}
