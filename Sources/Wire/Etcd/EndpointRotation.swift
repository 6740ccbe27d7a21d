// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Which member is asked: the same one until it fails, then the next.
final class EndpointRotation: Sendable {
    let endpoints: [String]
    private let place: Mutex<Int>

    init(_ endpoints: [String], first: Int) {
        self.endpoints = endpoints
        place = Mutex(endpoints.isEmpty ? 0 : abs(first % endpoints.count))
    }

    var current: String { endpoints[place.withLock { $0 }] }

    /// Goes on to the next member, unless somebody else did already.
    func moveOn(from endpoint: String) {
        place.withLock { place in
            if endpoints[place] == endpoint { place = (place + 1) % endpoints.count }
        }
    }
}
