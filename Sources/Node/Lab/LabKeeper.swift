// SPDX-License-Identifier: Apache-2.0

import Glibc
import Subprocess

/// The process that keeps a lab while nobody waits for it, as the program that started it sees it.
///
/// It is a session of its own, so that neither the terminal's Ctrl-C nor its end reaches it, and it goes on when the
/// program that started it ends. Until the lab is up it says how it gets on; see ``LabKeeperReport``.
package final class LabKeeper: Sendable {
    package enum Event: Hashable, Sendable {
        case progress(String)
        case ready
        case failed(LabFault)
        /// It is gone.
        case ended
    }

    /// What it says, in order: ``Event/ready`` or ``Event/failed(_:)``, and at its end ``Event/ended``.
    package let events: AsyncStream<Event>
    private let processID: Int32

    private init(events: AsyncStream<Event>, processID: Int32) {
        self.events = events
        self.processID = processID
    }

    /// - Parameter command: a program that runs ``keep(_:)``, and its arguments.
    package static func start(_ command: [String]) async throws -> LabKeeper {
        let (numbers, started) = AsyncStream<Int32>.makeStream()
        let (events, told) = AsyncStream<Event>.makeStream()
        // Left to itself on purpose: it lasts as long as the keeper, or as this program.
        Task {
            var options = PlatformOptions()
            options.createSession = true
            _ = try? await Subprocess.run(
                .name("env"), arguments: Arguments(command), platformOptions: options, input: .none,
                output: .sequence, error: .combinedWithOutput
            ) { execution in
                started.yield(execution.processIdentifier.value)
                for try await line in execution.standardOutput.strings() { told.yield(LabKeeperReport.event(line)) }
            }
            started.finish()
            told.yield(.ended)
            told.finish()
        }
        var iterator = numbers.makeAsyncIterator()
        guard let number = await iterator.next() else {
            throw LabFault(.failed, "\(command.first ?? "") can't be started to keep the lab")
        }
        return LabKeeper(events: events, processID: number)
    }

    /// Has it take down what it made; it says so by ``Event/failed(_:)`` or by its end.
    package func stop() { kill(processID, SIGTERM) }

    /// The keeper's own work: builds the lab, keeps it until SIGTERM, SIGINT or SIGHUP, and takes it down.
    package static func keep(_ settings: LabSettings) async {
        let stops = StopSignals()
        _ = unsafe chdir("/")
        let build = Task { try await LabCluster.up(settings, progress: { LabKeeperReport.say(.progress($0)) }) }
        let stop = Task {
            for await _ in stops.stream { break }
            build.cancel()
        }
        do {
            let cluster = try await build.value
            LabKeeperReport.say(.ready)
            LabKeeperReport.close()
            await stop.value
            await cluster.down()
        } catch let fault as LabFault {
            LabKeeperReport.say(.failed(fault))
        } catch let error as LabError {
            LabKeeperReport.say(.failed(LabFault(.failed, error.description)))
        } catch is CancellationError {
            LabKeeperReport.say(.failed(LabFault(.failed, "interrupted; what was made is taken down")))
        } catch {
            LabKeeperReport.say(.failed(LabFault(.failed, "\(error)")))
        }
    }
}
