// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases

/// Where what happened waits for the ``LeaseHolder``.
package struct LeaseHolderInbox: Sendable {
    enum Input: Sendable {
        /// Leases and config are known anew; the status has them.
        case leasesKnown
        case leasesChanged([LeaseChange])
        case granted(Grant, sentAt: MonotonicTime)
        case committed(LeaseClaim, ClaimOutcome)
        case renewed(GrantID, Duration?, sentAt: MonotonicTime)
        case failed(LeaseHolderRequest, LeaseStoreError)
        case timer
        /// The node's own addresses are others now.
        case addressChanged(IPv4Address, IPv6Address?)
        /// The watchdog asks whether the loop still runs.
        case pulse(LoopPulse)
    }

    let inputs: AsyncStream<Input>
    private let continuation: AsyncStream<Input>.Continuation

    package init() {
        (inputs, continuation) = AsyncStream.makeStream()
    }

    func post(_ input: Input) { continuation.yield(input) }
}
