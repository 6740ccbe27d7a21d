// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Netlink

extension DataplaneError {
    /// What to do about the kernel's answer. Where it says that a device is not what we took it for, or is silent,
    /// only a look at everything helps.
    init(_ error: NetlinkError, about operand: String? = nil) {
        var error = error
        if let operand { error.operand = operand }
        let remedy: Remedy =
            switch error.cause {
            case .refused(.notPermitted, _), .system(_, .notPermitted): .notPermitted
            case .refused(.noDevice, _), .refused(.networkDown, _): .resync
            // What a next hop over a device that is not there is told, in place of ENODEV.
            case .refused(.invalid, "Invalid device index"): .resync
            case .overrun, .unanswered, .malformed: .resync
            case .refused, .system, .unsteady: .retry
            }
        let advice = remedy == .notPermitted ? "; this needs CAP_NET_ADMIN: run as root" : ""
        self.init(remedy: remedy, description: "\(error)\(advice)")
    }

    static func misconfigured(_ sentence: String) -> Self { Self(remedy: .misconfigured, description: sentence) }
}

/// Does something with the kernel whose failure becomes the port's error.
func translating<Result>(
    _ body: () async throws(NetlinkError) -> Result
) async throws(DataplaneError) -> Result {
    do {
        return try await body()
    } catch {
        throw DataplaneError(error)
    }
}
