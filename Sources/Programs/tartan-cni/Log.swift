// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Words for the runtime's log: standard output is for results alone.
enum Log {
    static func write(_ sentence: String) { _ = Disk.write(Array("tartan-cni: \(sentence)\n".utf8), to: 2) }
}
