// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// What a request carries on its way through the endpoint.
struct APIRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection that it came over.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }

    /// The largest body that is read, in bytes: the largest document that a client sends is a lease request.
    static let largestBody = 64 * 1024

    var maxUploadSize: Int { Self.largestBody }
}
