// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import Netlink

/// Takes away whatever there is of a lab, however it came to be there.
///
/// Nothing that the lab wrote down is believed: its namespaces are known by their names, its processes by the
/// namespace they are in, and links and routes go with the namespaces. So it works the same after a failure in the
/// middle, and after any of the lab's processes was killed.
package struct LabSweep: Sendable {
    let name: LabName

    package init(_ name: LabName) { self.name = name }

    /// The namespaces that are there.
    package var places: [LabPlace] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: NetworkNamespace.directory)) ?? []
        return entries.compactMap(name.place(of:)).sorted()
    }

    /// Whether there is anything of the lab.
    package var findsAnything: Bool { LabFolder(name).exists || !places.isEmpty }

    /// Ends the keeper, if there is one, then whatever is left; returns when nothing is.
    package func run(grace: Duration = .seconds(20)) async throws {
        try await endKeeper(grace: grace)
        // A keeper that was only just starting may make something behind our back.
        let deadline = ContinuousClock.now + .seconds(10)
        repeat {
            try await killProcesses()
            for place in places { try NetworkNamespace.delete(name: name.namespace(of: place)) }
            LabFolder(name).remove()
            if !findsAnything { return }
            try await Task.sleep(for: .milliseconds(20))
        } while .now < deadline
        throw LabFault(.failed, "\(LabFolder(name).path) can't be removed; look at what is in it")
    }

    private func endKeeper(grace: Duration) async throws {
        guard let keeper = LabFolder(name).keeperIdentity, keeper.number != ProcessTable.ownNumber else { return }
        kill(keeper.number, SIGTERM)
        let deadline = ContinuousClock.now + grace
        var isKilled = false
        // Not as long as the folder says so: the keeper removes that before it ends.
        while keeper.isRunning {
            if .now >= deadline, !isKilled {
                kill(keeper.number, SIGKILL)
                isKilled = true
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func killProcesses() async throws {
        let namespaces = Set(
            places.compactMap { place in
                ProcessTable.identity(ofNamespaceFile: "\(NetworkNamespace.directory)/\(name.namespace(of: place))")
            })
        guard !namespaces.isEmpty else { return }
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let found = ProcessTable.processes(in: namespaces)
            if found.isEmpty { return }
            guard .now < deadline else {
                throw LabFault(.failed, "process \(found[0]) of the lab '\(name)' does not end, not even by SIGKILL")
            }
            for number in found { kill(number, SIGKILL) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
