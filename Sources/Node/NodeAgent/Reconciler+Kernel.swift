// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging

extension Reconciler {
    /// The underlay, the device, the host's addresses and the kernel's tables, each looked at where something is not
    /// known to be true.
    func prepare(_ state: inout ReconcilerState) async throws(DataplaneError) {
        guard let config = state.config else { return }
        let backend = settings.carriesTraffic ? config.backend : .none
        if state.needsUnderlay { await findUnderlay(&state) }
        try await removeFormerDevice(backend, &state)
        if case .vxlan(let vxlan) = backend { try await prepareDevice(vxlan, &state) }
        if state.needsAddresses {
            state.addresses = try await driver.localAddresses()
            state.needsAddresses = false
            lookForPublicIP(&state)
        }
        if state.needsDump { try await dump(&state) }
        let usesNextHops = try await driver.supportsNextHops()
        state.local = LocalNode(
            node: settings.node, publicIP: state.underlay.publicIP, mac: settings.mac, key: state.own,
            backend: backend, usesNextHops: usesNextHops, addresses: state.addresses,
            networks: state.underlay.networks)
        state.lastProblem = nil
    }

    /// The underlay may have come back with another index, MTU or address. Where the rule finds none, the last one
    /// stays it, so that the peers' entries are kept right; it is asked for again with the next pass.
    private func findUnderlay(_ state: inout ReconcilerState) async {
        var problem: String?
        var found: Underlay?
        let pinned = settings.selection.pinned(to: state.underlay)
        var selection = settings.isPinned ? pinned : settings.selection
        // The same address for as long as it is there.
        selection.preferredAddress = pinned.preferredAddress
        do {
            found = try await driver.underlay(selection)
            state.needsUnderlay = false
        } catch {
            problem = error.description
            // Its link may have another MTU all the same.
            if !settings.isPinned { found = try? await driver.underlay(pinned) }
        }
        if let found { adopt(found, isChosen: problem == nil, &state) }
        if let problem, problem != state.underlayProblem {
            logger.error("the underlay is not as it was", metadata: ["problem": "\(problem)"])
        }
        state.underlayProblem = problem
    }

    private func adopt(_ underlay: Underlay, isChosen: Bool, _ state: inout ReconcilerState) {
        if isChosen, (underlay.publicIP, underlay.ipv6Address) != state.announcing {
            state.announcing = (underlay.publicIP, underlay.ipv6Address)
            holder.post(.addressChanged(underlay.publicIP, underlay.ipv6Address))
        }
        guard underlay != state.underlay else { return }
        logger.notice(
            "the underlay has changed",
            metadata: [
                "interface": "\(underlay.name)", "index": "\(underlay.index)", "mtu": "\(underlay.mtu)",
                "address": "\(underlay.address)",
            ])
        let hasMoved = (underlay.index, underlay.address) != (state.underlay.index, state.underlay.address)
        state.underlay = underlay
        status.update { $0.underlay = underlay }
        // What the kernel removed with the old one it told nobody.
        state.needsDump = true
        state.prepared = nil
        if hasMoved { whenMoved() }
    }

    /// An address that somebody chose may be one of a translation elsewhere; where it was this host's own, it is missed.
    private func lookForPublicIP(_ state: inout ReconcilerState) {
        guard let address = settings.selection.publicIP else { return }
        if state.addresses.contains(address) {
            state.hadPublicIP = true
            state.lostPublicIP = nil
        } else if state.hadPublicIP {
            if state.lostPublicIP == nil {
                logger.error("the public address is gone from this host", metadata: ["address": "\(address)"])
            }
            state.lostPublicIP = address
        }
    }

    private func deviceName(_ vxlan: VXLANConfig) -> String { settings.device ?? "tartan.\(vxlan.vni)" }

    /// The device of an earlier config goes before that of the new one comes, whose UDP port it may have.
    private func removeFormerDevice(
        _ backend: BackendConfig, _ state: inout ReconcilerState
    ) async throws(DataplaneError) {
        guard let former = state.deviceName else { return }
        if case .vxlan(let vxlan) = backend, deviceName(vxlan) == former { return }
        try await driver.removeDevice(named: former)
        logger.notice("the device of an earlier config is removed", metadata: ["device": "\(former)"])
        state.forgetDevice()
    }

    private func prepareDevice(_ vxlan: VXLANConfig, _ state: inout ReconcilerState) async throws(DataplaneError) {
        let device = VXLANDevice(
            name: deviceName(vxlan), config: vxlan, mac: settings.mac,
            underlay: state.underlay, address: state.own.map { IPv4Prefix(host: $0.subnet.address) })
        guard state.prepared != device else { return }
        if state.deviceFight.holds(device.name, at: status.clock.now) {
            guard state.prepared == nil else { return }
            // Without its device no entry can be right.
            throw DataplaneError(
                remedy: .retry,
                description: "somebody keeps changing the device '\(device.name)', which is repaired more slowly now; "
                    + "find out who, or choose another name with --device")
        }
        let isFirst = state.table == nil
        try await driver.prepare(device)
        if state.isDeviceDrifted {
            state.repairs.device += 1
            logger.notice("device repaired", metadata: ["device": "\(device.name)"])
        } else if isFirst {
            logger.info("device ready", metadata: ["device": "\(device.name)", "mtu": "\(device.mtu)"])
        }
        // The tables of a device that was made anew are its own, and empty.
        if !device.isSame(as: state.prepared) { state.needsDump = true }
        state.prepared = device
    }

    /// Reads the kernel's tables. What is not as it was last seen is drift, but for what went with the device.
    private func dump(_ state: inout ReconcilerState) async throws(DataplaneError) {
        let seen = try await driver.seen()
        state.needsDump = false
        state.lastAudit = status.clock.now
        if state.table != nil {
            let drifted = state.table?.tracker.seeAll(seen) ?? []
            if !state.isDeviceDrifted, !state.isDeviceRemoved {
                note(drifted, &state, isFight: !state.isUnderlayDrifted)
            }
        } else {
            var tracker = DataplaneTracker<IPv4Address>()
            tracker.seeAll(seen)
            state.unowned = tracker
        }
        state.isUnderlayDrifted = false
        state.isDeviceRemoved = false
        // While the device waits for its repair, so does its account.
        if state.prepared != nil { state.isDeviceDrifted = false }
    }

    /// Applies what is pending and not held; what the kernel refuses is held and tried again apart.
    ///
    /// - Returns: whether the picture of the kernel was true; otherwise the next pass looks at everything anew.
    func apply(_ state: inout ReconcilerState) async -> Bool {
        guard state.table != nil else { return true }
        let now = status.clock.now
        let plan =
            state.table?.tracker.plan(removing: state.isComplete) { key in
                state.refusals.holds(key, at: now) || state.fights.holds(key, at: now)
            } ?? []
        state.forgetSettled()
        guard !plan.isEmpty else { return true }
        let failures = await driver.apply(plan)
        var isSound = true
        var next = failures.makeIterator()
        var failure = next.next()
        for (index, operation) in plan.enumerated() {
            if let failed = failure, failed.index == index {
                failure = next.next()
                if failed.error.remedy == .resync { isSound = false }
                refused(operation, failed.error, &state)
            } else {
                state.table?.tracker.done(operation)
                done(operation, &state)
            }
        }
        if !isSound { state.askForAudit() }
        logger.debug("dataplane changed", metadata: ["operations": "\(plan.count)", "refused": "\(failures.count)"])
        return isSound
    }

    private func refused(
        _ operation: Operation<IPv4Address>, _ error: DataplaneError, _ state: inout ReconcilerState
    ) {
        let key = operation.key
        // Where the picture was wrong, the entry itself may be well.
        if error.remedy != .resync { state.refusals.strike(key, at: status.clock.now) }
        if state.refused.isEmpty {
            logger.error(
                "the kernel refuses an entry, which is tried again apart from the others",
                metadata: ["entry": "\(operation)", "error": "\(error)"])
        }
        state.refused[key] = error.description
    }

    private func done(_ operation: Operation<IPv4Address>, _ state: inout ReconcilerState) {
        let key = operation.key
        if !state.refused.isEmpty, state.refused.removeValue(forKey: key) != nil {
            state.refusals.clear(key)
            if state.refused.isEmpty { logger.notice("every refused entry is settled now") }
        }
        guard !state.drifted.isEmpty, state.drifted.remove(key) != nil else { return }
        state.repairs.count(key.kind)
        logger.notice("entry repaired", metadata: ["entry": "\(operation)"])
    }

    /// Takes this node's entries out of the kernel; the device and the pods' bridge stay.
    func withdraw(_ state: inout ReconcilerState) async {
        guard state.table != nil else { return }
        state.table?.tracker.unwantAll()
        state.isComplete = true
        state.refusals = HoldTable(grace: .max, first: .zero, limit: .zero, memory: .zero)
        state.fights = state.refusals
        _ = await apply(&state)
        logger.notice("entries withdrawn", metadata: ["refused": "\(state.refused.count)"])
    }
}

extension ReconcilerState {
    /// Of entries that are as they should be, or that nobody wants any more, nothing is to be told.
    fileprivate mutating func forgetSettled() {
        guard let tracker = table?.tracker else { return }
        if !drifted.isEmpty { drifted = drifted.filter { tracker.isPending($0) } }
        guard !refused.isEmpty else { return }
        for key in refused.keys where !tracker.isPending(key) {
            refused[key] = nil
            refusals.clear(key)
        }
    }
}

extension VXLANDevice {
    /// Whether it is the other one with, at most, another address.
    fileprivate func isSame(as other: VXLANDevice?) -> Bool {
        guard var other else { return false }
        other.address = address
        return self == other
    }
}
