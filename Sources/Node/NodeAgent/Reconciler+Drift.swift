// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging

extension Reconciler {
    /// Takes in what others changed in the kernel.
    func noteDrift(_ state: inout ReconcilerState) async {
        let changes = await driver.takeChanges()
        if changes.areAddressesChanged { state.needsAddresses = true }
        if changes.isUnderlayChanged {
            state.needsUnderlay = true
            state.needsDump = true
            state.isUnderlayDrifted = true
            // What it refused while it was down it may take now.
            state.refusals.clearAll()
            if let device = state.deviceName { state.deviceFight.clear(device) }
        }
        if changes.isDeviceChanged, let device = state.deviceName {
            state.isDeviceDrifted = true
            state.prepared = nil
            state.needsDump = true
            // With an underlay the kernel removes its device, which is nobody's fight.
            if changes.isUnderlayChanged || state.underlayProblem != nil {
                state.deviceFight.clear(device)
            } else if state.deviceFight.strike(device, at: status.clock.now) {
                logger.error(
                    "somebody keeps changing the device; it is repaired more slowly from now on",
                    metadata: ["device": "\(device)"])
            }
        }
        if changes.isEverythingStale {
            logger.notice("the kernel's notifications came too fast; looking at everything")
            state.askForAudit()
        }
        // What will be read anew needs no single word.
        guard !state.needsDump, state.table != nil else { return }
        note(state.table?.tracker.see(changes) ?? [], &state)
    }

    /// Entries that others changed: to be counted when they are repaired, and watched for a fight; not so what the
    /// kernel itself drops with its underlay, as often as that may happen.
    func note(_ drifted: [EntryKey<IPv4Address>], _ state: inout ReconcilerState, isFight: Bool = true) {
        let now = status.clock.now
        for key in drifted {
            state.drifted.insert(key)
            if isFight, state.fights.strike(key, at: now) {
                logger.error(
                    "somebody keeps changing an entry; it is repaired more slowly from now on",
                    metadata: ["entry": "\(key)"])
            }
        }
    }
}
