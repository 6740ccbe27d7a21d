// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging

extension Reconciler {
    /// Takes in what others changed in the kernel.
    func noteDrift(_ state: inout ReconcilerState) async {
        let changes = await driver.takeChanges()
        if changes.isUnderlayChanged { state.needsUnderlay = true }
        if changes.isEverythingStale {
            logger.notice("the kernel's notifications came too fast; looking at everything")
            state.askForAudit()
        }
        let hasProblem = state.underlayProblem != nil
        let ipv6 = await driver.takeIPv6Changes()
        note(changes, &state.ipv4, isUnderlayLost: hasProblem)
        var all = ipv6
        all.isUnderlayChanged = changes.isUnderlayChanged
        all.areAddressesChanged = changes.areAddressesChanged
        note(all, &state.ipv6, isUnderlayLost: hasProblem)
    }

    private func note<Address: DataplaneAddress>(
        _ changes: DataplaneChanges<Address>, _ family: inout FamilyState<Address>, isUnderlayLost: Bool
    ) {
        if changes.areAddressesChanged { family.needsAddresses = true }
        if changes.isUnderlayChanged {
            family.needsDump = true
            family.isUnderlayDrifted = true
            // What it refused while it was down it may take now.
            family.refusals.clearAll()
            if let device = family.deviceName { family.deviceFight.clear(device) }
        }
        if changes.isDeviceChanged, let device = family.deviceName {
            family.isDeviceDrifted = true
            family.prepared = nil
            family.needsDump = true
            // With an underlay the kernel removes its device, which is nobody's fight.
            if changes.isUnderlayChanged || isUnderlayLost {
                family.deviceFight.clear(device)
            } else if family.deviceFight.strike(device, at: status.clock.now) {
                logger.error(
                    "somebody keeps changing the device; it is repaired more slowly from now on",
                    metadata: ["device": "\(device)"])
            }
        }
        // What will be read anew needs no single word.
        guard !family.needsDump, family.table != nil else { return }
        note(family.table?.tracker.see(changes) ?? [], &family)
    }

    /// Entries that others changed: to be counted when they are repaired, and watched for a fight; not so what the
    /// kernel itself drops with its underlay, as often as that may happen.
    func note<Address: DataplaneAddress>(
        _ drifted: [EntryKey<Address>], _ family: inout FamilyState<Address>, isFight: Bool = true
    ) {
        let now = status.clock.now
        for key in drifted {
            family.drifted.insert(key)
            if isFight, family.fights.strike(key, at: now) {
                logger.error(
                    "somebody keeps changing an entry; it is repaired more slowly from now on",
                    metadata: ["entry": "\(key)"])
            }
        }
    }
}
