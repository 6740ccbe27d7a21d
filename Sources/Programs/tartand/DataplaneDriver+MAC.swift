// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing

extension DataplaneDriver {
    /// The MAC address that this node's VTEP had when the daemon last ran here, as the kernel still has it: that of
    /// IPv4's device, else the one that goes with IPv6's.
    ///
    /// Fails where the name that was chosen can't become the device's: before anything is leased.
    func keptMAC(chosen: String?) async throws(DataplaneError) -> MACAddress? {
        if let mac = try await existingMAC(IPv4Address.self, chosen: chosen, fails: chosen != nil) { return mac }
        return try await existingMAC(IPv6Address.self, chosen: chosen, fails: false)?.sibling
    }

    private func existingMAC<Address: DataplaneAddress>(
        _ family: Address.Type, chosen: String?, fails: Bool
    ) async throws(DataplaneError) -> MACAddress? {
        do {
            return try await existingMAC(ofDevice: Address.deviceName(vni: 1, chosen: chosen))
        } catch {
            // The network's VNI, and with it the name, may be another yet; or the network has no such family.
            guard error.remedy == .misconfigured, !fails else { throw error }
            return nil
        }
    }
}
