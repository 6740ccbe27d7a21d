// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The names of what was made, for taking it away.
final class Registry: Sendable {
    private let names = Mutex<(all: [String], count: Int)>(([], 0))

    var all: [String] { names.withLock { $0.all } }

    func nextNumber() -> Int {
        names.withLock { state in
            state.count += 1
            return state.count
        }
    }

    func add(_ name: String) { names.withLock { $0.all.append(name) } }
}
