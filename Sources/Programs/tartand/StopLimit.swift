// SPDX-License-Identifier: Apache-2.0

import Glibc
import Logging
import ServiceLifecycle

/// Ends the program 1.8 s after it was told to stop if it still runs then, whatever it is in the middle of.
///
/// Nothing is half done by that: etcd's transactions and the kernel's messages are whole or not at all, and files are
/// renamed into place. It is the last service, so that it is the first to hear of the stop.
struct StopLimit: Service {
    var limit = Duration.milliseconds(1_800)
    let notifier: SystemdNotifier
    let logger: Logger

    func run() async throws {
        await withGracefulShutdownHandler {
            try? await gracefulShutdown()
        } onGracefulShutdown: {
            notifier.stopping()
            let (limit, logger) = (limit, logger)
            Task.detached {
                try? await Task.sleep(for: limit)
                logger.warning("stopping took too long; ending at once")
                _exit(ExitStatus.success.rawValue)
            }
        }
    }
}
