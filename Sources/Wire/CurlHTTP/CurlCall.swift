// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One request on its way, as its caller and the loop know it.
///
/// The flag goes up before the loop is told, so a cancellation that overtakes the start is not lost: the loop looks at
/// it when it starts the call and finds the call in its table afterwards.
final class CurlCall: Sendable {
    let request: CurlRequest
    let endpoint: String
    let credentials: TLSFiles?
    private let flag = Atomic<Bool>(false)

    init(request: CurlRequest, credentials: TLSFiles?) {
        self.request = request
        endpoint = request.endpoint
        self.credentials = credentials
    }

    var isCancelled: Bool { flag.load(ordering: .acquiring) }

    func cancel() { flag.store(true, ordering: .releasing) }
}
