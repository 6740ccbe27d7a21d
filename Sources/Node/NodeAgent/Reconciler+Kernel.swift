// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging

extension Reconciler {
    /// One family's device, the host's addresses and the kernel's tables, each looked at where something is not known
    /// to be true.
    func prepare<Address: DataplaneAddress>(
        _ family: inout FamilyState<Address>, _ situation: Situation
    ) async throws(DataplaneError) {
        let isCarried = settings.carriesTraffic && situation.carries(Address.self)
        if settings.carriesTraffic, !isCarried, situation.requires(Address.self) {
            throw DataplaneError(
                remedy: .misconfigured,
                description: "the network has \(Address.familyName), but '\(situation.underlay.name)' has no such "
                    + "address; give it one or name another interface with --iface")
        }
        let backend = isCarried ? situation.config.backend : .none
        try await removeFormerDevice(backend, &family, situation)
        if case .vxlan(let vxlan) = backend { try await prepareDevice(vxlan, &family, situation) }
        if family.needsAddresses {
            family.addresses = try await Address.localAddresses(of: driver)
            family.needsAddresses = false
        }
        if family.needsDump { try await dump(&family) }
        family.local = LocalNode(
            node: settings.node, publicIP: Address.publicIP(of: situation.underlay) ?? Address(bits: 0),
            mac: Address.mac(settings.mac), key: situation.own, backend: backend,
            usesNextHops: try await driver.supportsNextHops(), addresses: family.addresses,
            networks: Address.networks(of: situation.underlay), family: Address.family(of: situation.config))
    }

    /// The underlay may have come back with another index, MTU or address. Where the rule finds none, the last one
    /// stays it, so that the peers' entries are kept right; it is asked for again with the next pass.
    func findUnderlay(_ state: inout ReconcilerState) async {
        var problem: String?
        var found: Underlay?
        let pinned = settings.selection.pinned(to: state.underlay)
        var selection = settings.isPinned ? pinned : settings.selection
        // The same address for as long as it is there.
        selection.preferredAddress = pinned.preferredAddress
        selection.preferredIPv6Address = pinned.preferredIPv6Address
        var isChosen = false
        do {
            found = try await driver.underlay(selection)
            state.needsUnderlay = false
            isChosen = true
        } catch {
            problem = error.description
            // Its link may have another MTU all the same.
            if !settings.isPinned { found = try? await driver.underlay(pinned) }
        }
        if var underlay = found {
            let lost = keepLostFamilies(of: &underlay, state)
            if !lost.isEmpty {
                state.needsUnderlay = true
                problem =
                    problem
                    ?? "'\(underlay.name)' has lost its \(lost.joined(separator: " and its ")) address, which the lease "
                    + "goes on to announce; give it back, or restart tartand to do without"
            }
            adopt(underlay, isChosen: isChosen, &state)
        }
        if let problem, problem != state.underlayProblem {
            logger.error("the underlay is not as it was", metadata: ["problem": "\(problem)"])
        }
        state.underlayProblem = problem
    }

    /// An interface that flaps loses the addresses of one family and keeps the other's: the lease, the device and the
    /// pods' file keep what was there before, until the network has that family no more.
    ///
    /// - Returns: the names of the families that are gone.
    private func keepLostFamilies(of underlay: inout Underlay, _ state: ReconcilerState) -> [String] {
        var lost: [String] = []
        let last = state.underlay
        if state.config?.hasIPv4 == true, underlay.address == .any, last.address != .any {
            (underlay.address, underlay.publicIP) = (last.address, last.publicIP)
            underlay.networks = last.networks
            lost.append(IPv4Address.familyName)
        }
        if state.config?.ipv6 != nil, underlay.ipv6Address == nil, last.ipv6Address != nil {
            (underlay.ipv6Address, underlay.publicIPv6) = (last.ipv6Address, last.publicIPv6)
            underlay.ipv6Networks = last.ipv6Networks
            lost.append(IPv6Address.familyName)
        }
        return lost
    }

    private func adopt(_ underlay: Underlay, isChosen: Bool, _ state: inout ReconcilerState) {
        if isChosen, (underlay.publicIP, underlay.publicIPv6) != state.announcing {
            state.announcing = (underlay.publicIP, underlay.publicIPv6)
            holder.post(.addressChanged(underlay.publicIP, underlay.publicIPv6))
        }
        guard underlay != state.underlay else { return }
        logger.notice(
            "the underlay has changed",
            metadata: [
                "interface": "\(underlay.name)", "index": "\(underlay.index)", "mtu": "\(underlay.mtu)",
                "address": "\(underlay.address)", "ipv6Address": "\(underlay.ipv6Address.map { "\($0)" } ?? "none")",
            ])
        let hasMoved =
            (underlay.index, underlay.address, underlay.ipv6Address)
            != (state.underlay.index, state.underlay.address, state.underlay.ipv6Address)
        state.underlay = underlay
        status.update { $0.underlay = underlay }
        // What the kernel removed with the old one it told nobody.
        state.ipv4.needsDump = true
        state.ipv6.needsDump = true
        state.ipv4.prepared = nil
        state.ipv6.prepared = nil
        if hasMoved { whenMoved() }
    }

    /// An address that somebody chose may be one of a translation elsewhere; where it was this host's own, it is missed.
    func lookForPublicIP<Address: DataplaneAddress>(
        _ chosen: Address?, _ family: inout FamilyState<Address>, _ situation: Situation
    ) {
        guard let chosen, !family.needsAddresses, Address.family(of: situation.config) != nil else { return }
        if family.addresses.contains(chosen) {
            family.hadPublicIP = true
            family.lostPublicIP = nil
        } else if family.hadPublicIP {
            if family.lostPublicIP == nil {
                logger.error("the public address is gone from this host", metadata: ["address": "\(chosen)"])
            }
            family.lostPublicIP = chosen
        }
    }

    /// The device of an earlier config goes before that of the new one comes, whose UDP port it may have. So does one
    /// that is left of an earlier run, where the network has lost that family.
    private func removeFormerDevice<Address: DataplaneAddress>(
        _ backend: BackendConfig, _ family: inout FamilyState<Address>, _ situation: Situation
    ) async throws(DataplaneError) {
        var wanted: String?
        if case .vxlan(let vxlan) = backend { wanted = Address.deviceName(vni: vxlan.vni, chosen: settings.device) }
        var former = family.deviceName
        if former == nil, wanted == nil, family.table == nil, case .vxlan(let vxlan) = situation.config.backend {
            former = Address.deviceName(vni: vxlan.vni, chosen: settings.device)
        }
        guard let former, former != wanted else { return }
        try await driver.removeDevice(named: former)
        if family.deviceName != nil {
            logger.notice("the device of an earlier config is removed", metadata: ["device": "\(former)"])
        }
        family.forgetDevice()
    }

    private func prepareDevice<Address: DataplaneAddress>(
        _ vxlan: VXLANConfig, _ family: inout FamilyState<Address>, _ situation: Situation
    ) async throws(DataplaneError) {
        let name = Address.deviceName(vni: vxlan.vni, chosen: settings.device)
        guard let local = Address.address(of: situation.underlay) else {
            throw DataplaneError(
                remedy: .misconfigured,
                description: "'\(situation.underlay.name)' has no \(Address.familyName) address of its own; give it one"
            )
        }
        let device = VXLANDevice<Address>(
            name: name, config: vxlan, mac: Address.mac(settings.mac), underlay: situation.underlay, local: local,
            address: situation.own.flatMap(Address.subnet(of:)).map { Prefix(host: $0.address) })
        guard family.prepared != device else { return }
        if family.deviceFight.holds(device.name, at: status.clock.now) {
            guard family.prepared == nil else { return }
            // Without its device no entry can be right.
            throw DataplaneError(
                remedy: .retry,
                description: "somebody keeps changing the device '\(device.name)', which is repaired more slowly now; "
                    + "find out who, or choose another name with --device")
        }
        let isFirst = family.table == nil
        try await Address.prepare(device, by: driver)
        if family.isDeviceDrifted {
            family.repairs.device += 1
            logger.notice("device repaired", metadata: ["device": "\(device.name)"])
        } else if isFirst {
            logger.info("device ready", metadata: ["device": "\(device.name)", "mtu": "\(device.mtu)"])
        }
        // The tables of a device that was made anew are its own, and empty.
        if !device.isSame(as: family.prepared) { family.needsDump = true }
        family.prepared = device
    }

    /// Reads the kernel's tables. What is not as it was last seen is drift, but for what went with the device.
    private func dump<Address: DataplaneAddress>(_ family: inout FamilyState<Address>) async throws(DataplaneError) {
        let seen = try await Address.seen(by: driver)
        family.needsDump = false
        if family.table != nil {
            let drifted = family.table?.tracker.seeAll(seen) ?? []
            if !family.isDeviceDrifted, !family.isDeviceRemoved {
                note(drifted, &family, isFight: !family.isUnderlayDrifted)
            }
        } else {
            var tracker = DataplaneTracker<Address>()
            tracker.seeAll(seen)
            family.unowned = tracker
        }
        family.isUnderlayDrifted = false
        family.isDeviceRemoved = false
        // While the device waits for its repair, so does its account.
        if family.prepared != nil { family.isDeviceDrifted = false }
    }

    /// Applies what is pending and not held; what the kernel refuses is held and tried again apart.
    ///
    /// - Returns: whether the picture of the kernel was true; otherwise the next pass looks at everything anew.
    func apply<Address: DataplaneAddress>(_ family: inout FamilyState<Address>, removing: Bool) async -> Bool {
        guard family.table != nil else { return true }
        let now = status.clock.now
        let plan = family.plan(removing: removing, at: now)
        family.forgetSettled()
        guard !plan.isEmpty else { return true }
        let failures = await Address.apply(plan, by: driver)
        let outcome = family.settle(plan, failures, at: now)
        if let (operation, error) = outcome.firstRefusal {
            logger.error(
                "the kernel refuses an entry, which is tried again apart from the others",
                metadata: ["entry": "\(operation)", "error": "\(error)"])
        }
        for operation in outcome.repaired { logger.notice("entry repaired", metadata: ["entry": "\(operation)"]) }
        if outcome.isSettledAgain { logger.notice("every refused entry is settled now") }
        logger.debug("dataplane changed", metadata: ["operations": "\(plan.count)", "refused": "\(failures.count)"])
        return outcome.isSound
    }

    /// Takes this node's entries out of the kernel; the device and the pods' bridge stay.
    func withdraw<Address: DataplaneAddress>(_ family: inout FamilyState<Address>) async {
        guard family.table != nil else { return }
        family.table?.tracker.unwantAll()
        family.refusals = HoldTable(grace: .max, first: .zero, limit: .zero, memory: .zero)
        family.fights = family.refusals
        _ = await apply(&family, removing: true)
        logger.notice(
            "entries withdrawn", metadata: ["family": "\(Address.familyName)", "refused": "\(family.refused.count)"])
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
