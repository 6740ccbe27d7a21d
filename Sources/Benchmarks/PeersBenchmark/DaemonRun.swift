// SPDX-License-Identifier: Apache-2.0

import BenchmarkKit
import Lab
import Netlink

/// One start of `tartand` in the scene, from the first instruction to the last entry.
struct DaemonRun {
    let program: String
    let scene: PeersScene
    let number: Int

    func measure() async throws -> Figures {
        let socket = try scene.connect()
        let start = ContinuousClock.now
        let daemon = try await DaemonProcess(program, in: scene, number: number)
        do {
            let figures = try await watch(daemon, since: start, socket)
            await daemon.process.stop()
            return figures
        } catch {
            await daemon.process.stop()
            throw error
        }
    }

    private func watch(
        _ daemon: DaemonProcess, since start: ContinuousClock.Instant, _ socket: RouteSocket
    ) async throws -> Figures {
        try await daemon.waitForSubnetFile()
        let published = ContinuousClock.now - start
        try await daemon.waitForEntries(socket)
        let programmed = ContinuousClock.now - start
        let memory = try ProcessFile("/proc/\(daemon.process.processID)/status")
        return Figures(
            subnetFile: published.inSeconds, programmed: programmed.inSeconds,
            processor: try ProcessFile("/proc/\(daemon.process.processID)/stat").processorTime,
            peakMemory: memory.mebibytes("VmHWM"), anonymousMemory: memory.mebibytes("RssAnon"))
    }
}
