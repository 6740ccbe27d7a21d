// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// How often each call was sent, tries at other members included.
package final class EtcdCounters: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func count(_ path: String) { counts.withLock { $0[path, default: 0] += 1 } }

    /// By the path of the call, such as `/v3/kv/range`.
    package var requests: [String: Int] { counts.withLock { $0 } }

    /// All but opened watches.
    package var unaryTotal: Int { requests.reduce(0) { $0 + ($1.key == "/v3/watch" ? 0 : $1.value) } }
}
