// SPDX-License-Identifier: Apache-2.0

import Glibc
import Subprocess
import Synchronization

/// A program that runs beside this one and never longer than it.
///
/// It ends with ``stop(grace:)``, when the last reference goes, and when this process ends in whatever way, SIGKILL
/// included. The parent-death signal of prctl(2) can't give that: it fires when the *thread* that started the child
/// ends, and threads come and go here. Instead a shell between the two holds a pipe from us, and kills the program
/// when the pipe's other end is gone. The two are a session of their own, so that Ctrl-C reaches only us.
package final class ChildProcess: Sendable {
    /// The program's own, not the shell's.
    package let processID: Int32
    private let ending: Ending
    private let task: Task<Int32, Never>

    /// Whether the program has ended; behind a class because the task that finds out must not keep us alive.
    private final class Ending: Sendable {
        let isOver = Atomic<Bool>(false)
    }

    private init(processID: Int32, ending: Ending, task: Task<Int32, Never>) {
        self.processID = processID
        self.ending = ending
        self.task = task
    }

    deinit { task.cancel() }

    /// Starts a command; what it says on either output is appended to the log.
    package static func start(_ command: [String], log: String) async throws -> ChildProcess {
        let (numbers, started) = AsyncStream<Int32>.makeStream()
        let ending = Ending()
        let task = Task { () -> Int32 in
            let status = await shell(command, log: log) { started.yield($0) }
            ending.isOver.store(true, ordering: .releasing)
            started.finish()
            return status
        }
        var iterator = numbers.makeAsyncIterator()
        guard let number = await iterator.next() else {
            task.cancel()
            _ = await task.value
            try Task.checkCancellation()
            throw LabError("cannot start \(command.first ?? "nothing"): the shell did not run")
        }
        return ChildProcess(processID: number, ending: ending, task: task)
    }

    package var isRunning: Bool { !ending.isOver.load(ordering: .acquiring) }

    /// Sends a signal to the program, unless it has ended. SIGSTOP has taken effect when this returns.
    package func signal(_ number: Int32) {
        if isRunning { kill(processID, number) }
    }

    /// Waits for the program's end: its exit status, or 128 and the signal that ended it.
    @discardableResult
    package func ended() async -> Int32 { await task.value }

    /// SIGTERM, and SIGKILL where that was not enough in time; returns when the program is gone, also to a caller that
    /// was cancelled.
    package func stop(grace: Duration = .seconds(5)) async {
        signal(SIGTERM)
        signal(SIGCONT)
        let last = Task {
            try await Task.sleep(for: grace)
            signal(SIGKILL)
        }
        await ended()
        last.cancel()
    }

    /// `$1` is the log; what follows is the command. Whoever waits for the program also ends the guard, so that the
    /// guard does not kill somebody else who got the same number since.
    private static let script = """
        log=$1; shift
        exec 3<&0 </dev/null
        "$@" >>"$log" 2>&1 3<&- &
        child=$!
        { read -r _ <&3; kill -KILL "$child"; } >/dev/null 2>&1 &
        guard=$!
        exec 3<&-
        echo "$child"
        wait "$child"
        status=$?
        kill "$guard"
        exit "$status"
        """

    private static func shell(_ command: [String], log: String, started: (Int32) -> Void) async -> Int32 {
        var options = PlatformOptions()
        options.createSession = true
        do {
            let result = try await Subprocess.run(
                .name("sh"), arguments: Arguments(["-c", script, "sh", log] + command), platformOptions: options,
                input: .inputWriter, output: .sequence, error: .discarded
            ) { execution in
                // The shell's output ends with the shell; the pipe to its guard is closed when this returns.
                for try await line in execution.standardOutput.strings() {
                    if let number = Int32(line) { started(number) }
                }
            }
            switch result.terminationStatus {
            case .exited(let status): return status
            case .signaled(let signal): return 128 + signal
            }
        } catch {
            return 255
        }
    }
}
