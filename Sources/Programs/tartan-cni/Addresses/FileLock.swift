// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A lock on a file (flock(2)) that others of this machine take in turn; given up with its value, or with the process.
struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// Waits for whoever has it.
    init(_ path: String) throws(PluginError) {
        let file = unsafe open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Disk.failure(path, "can't be opened") }
        while flock(file, LOCK_EX) != 0 {
            guard errno == EINTR else {
                let error = Disk.failure(path, "can't be locked")
                close(file)
                throw error
            }
        }
        descriptor = file
    }

    deinit { close(descriptor) }
}
