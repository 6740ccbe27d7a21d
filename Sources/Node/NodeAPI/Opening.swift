// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Waits until every listener listens.
final class Opening: Sendable {
    private let bound: Mutex<[ListenAddress?]>
    private let whenAllListen: @Sendable ([ListenAddress]) -> Void

    init(count: Int, whenAllListen: @escaping @Sendable ([ListenAddress]) -> Void) {
        bound = Mutex(Array(repeating: nil, count: count))
        self.whenAllListen = whenAllListen
    }

    func listens(at address: ListenAddress, place: Int) {
        let all = bound.withLock { bound in
            bound[place] = address
            let known = bound.compactMap(\.self)
            return known.count == bound.count ? known : nil
        }
        if let all { whenAllListen(all) }
    }
}
