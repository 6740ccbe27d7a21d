// SPDX-License-Identifier: Apache-2.0

import CCurl
import Glibc
import Synchronization

/// The door to the one thread that owns the curl_multi: commands go in, continuations are resumed from there.
///
/// Everything of curl's that is not thread-safe lives in ``CurlEngine``, which never leaves the thread. The only curl
/// function called from elsewhere is `curl_multi_wakeup`, made for that, and only while the thread vouches for the
/// handle: it takes `wakeTarget` back under the lock before it frees it.
final class CurlLoop: Sendable {
    private struct Mailbox: ~Copyable {
        var commands: [CurlCommand] = []
        var isStopping = false
        var hasStopped = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
        var wakeTarget = unsafe WakeTarget(multi: nil)
    }

    private let mailbox = Mutex(Mailbox())
    let configuration: CurlConfiguration

    init(configuration: CurlConfiguration) {
        self.configuration = configuration
        startThread()
    }

    /// Puts a command in the queue; `false` where the loop no longer takes any.
    func post(_ command: CurlCommand) -> Bool {
        mailbox.withLock { mailbox in
            guard !mailbox.isStopping else { return false }
            mailbox.commands.append(command)
            if mailbox.commands.count == 1 { mailbox.wakeTarget.wake() }
            return true
        }
    }

    func stop() {
        mailbox.withLock { mailbox in
            mailbox.isStopping = true
            mailbox.wakeTarget.wake()
        }
    }

    /// Returns once the thread has closed everything.
    func stopped() async {
        await withCheckedContinuation { continuation in
            let isDone = mailbox.withLock { mailbox in
                if !mailbox.hasStopped { mailbox.stopWaiters.append(continuation) }
                return mailbox.hasStopped
            }
            if isDone { continuation.resume() }
        }
    }

    // The rest is for the thread.

    func attach(_ target: consuming WakeTarget) {
        var target: WakeTarget? = consume target
        mailbox.withLock { mailbox in
            if let target = target.take() { mailbox.wakeTarget = target }
        }
    }

    /// The commands that came since; `nil` when it is time to stop, which leaves them to ``finish()``.
    func take() -> [CurlCommand]? {
        mailbox.withLock { mailbox in
            guard !mailbox.isStopping else { return nil }
            let commands = mailbox.commands
            if !commands.isEmpty { mailbox.commands = [] }
            return commands
        }
    }

    private func finish() {
        let (left, waiters) = mailbox.withLock { mailbox in
            mailbox.isStopping = true
            mailbox.hasStopped = true
            defer {
                mailbox.commands = []
                mailbox.stopWaiters = []
            }
            return (mailbox.commands, mailbox.stopWaiters)
        }
        for case .start(_, let receiver) in left { receiver.fail(.shutDown) }
        for waiter in waiters { waiter.resume() }
    }

    private func startThread() {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { unsafe pthread_attr_destroy(&attributes) }
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, &attributes,
            { context in
                if let context = unsafe context {
                    let loop = unsafe Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue()
                    CurlLoop.blockSignals()
                    if let engine = CurlEngine(loop: loop) { engine.run() }
                    loop.finish()
                }
                return nil
            }, context)
        if status != 0 {
            unsafe Unmanaged<CurlLoop>.fromOpaque(context).release()
            finish()
        }
    }

    /// Signals are for the program's own threads; and a connection that breaks under a TLS write must not raise SIGPIPE.
    private static func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    }
}

/// The one pointer that other threads use.
///
/// Sendable is proven by what is done with it: `curl_multi_wakeup` only, which libcurl allows from any thread, and only
/// under the mailbox's lock, under which the loop's thread takes the pointer back before it frees the handle.
@safe struct WakeTarget: ~Copyable, @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer?

    init(multi: UnsafeMutableRawPointer?) { unsafe self.multi = multi }

    borrowing func wake() {
        if let multi = unsafe multi { unsafe curl_multi_wakeup(multi) }
    }
}
