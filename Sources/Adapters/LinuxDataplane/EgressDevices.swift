// SPDX-License-Identifier: Apache-2.0

import Dataplane

/// The kernel's index of each device that entries name.
struct EgressDevices: Hashable, Sendable {
    var vxlan: UInt32?
    var underlay: UInt32?

    /// No device has it (they count from one up), so that the kernel refuses an entry over a device that is not there.
    private static let absent = UInt32(Int32.max)

    func index(of device: EgressDevice) -> UInt32 {
        switch device {
        case .vxlan: vxlan ?? Self.absent
        case .underlay: underlay ?? Self.absent
        case .other: Self.absent
        }
    }

    func device(at index: UInt32?) -> EgressDevice {
        guard let index else { return .other }
        if index == vxlan { return .vxlan }
        return index == underlay ? .underlay : .other
    }
}
