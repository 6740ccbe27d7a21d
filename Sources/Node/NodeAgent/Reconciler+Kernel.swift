// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging

extension Reconciler {
    /// The device as it should be, made or mended; the kernel's tables, read once the device is there.
    func prepare(_ state: inout State) async throws(DataplaneError) {
        guard let config = state.config else { return }
        let backend = settings.carriesTraffic ? config.backend : .none
        if case .vxlan(let vxlan) = backend {
            let device = VXLANDevice(
                name: settings.device ?? "tartan.\(vxlan.vni)", config: vxlan, mac: settings.mac,
                underlay: settings.underlay,
                address: state.own.map { IPv4Prefix(host: $0.subnet.address) })
            if state.prepared != device {
                try await driver.prepare(device)
                logger.info("device ready", metadata: ["device": "\(device.name)", "mtu": "\(device.mtu)"])
                // The tables of a device that was made anew are its own, and empty.
                if !device.isSame(as: state.prepared) { state.hasDumped = false }
                state.prepared = device
            }
        }
        if !state.hasDumped {
            let usesNextHops = try await driver.supportsNextHops()
            state.tracker.seeAll(try await driver.seen())
            state.hasDumped = true
            state.local = LocalNode(
                node: settings.node, publicIP: settings.underlay.publicIP, key: nil, backend: backend,
                usesNextHops: usesNextHops)
        }
        state.local?.key = state.own
        state.local?.backend = backend
    }

    /// Applies what is pending; what the kernel refused stays pending and is returned. Where it says that the picture
    /// of it is wrong, the next pass looks at everything anew.
    func apply(_ state: inout State) async -> [(Operation<IPv4Address>, DataplaneError)] {
        let plan = state.tracker.plan(removing: state.isComplete)
        guard !plan.isEmpty else { return [] }
        let failures = await driver.apply(plan)
        var refused: [(Operation<IPv4Address>, DataplaneError)] = []
        var next = failures.makeIterator()
        var failure = next.next()
        for (index, operation) in plan.enumerated() {
            if let failed = failure, failed.index == index {
                refused.append((operation, failed.error))
                failure = next.next()
            } else {
                state.tracker.done(operation)
            }
        }
        if refused.contains(where: { $0.1.remedy == .resync }) {
            state.hasDumped = false
            state.prepared = nil
        }
        logger.debug("dataplane changed", metadata: ["operations": "\(plan.count)", "refused": "\(refused.count)"])
        return refused
    }

    /// Says how things stand, and gives the subnet to the pods once it can carry them; `false` where that failed.
    func publish(_ state: inout State, _ refused: [(Operation<IPv4Address>, DataplaneError)]) async -> Bool {
        let account = account(of: state, refused)
        let known = status.update { snapshot in
            defer { snapshot.dataplane = account }
            return snapshot.dataplane.refused
        }
        if let first = refused.first, account.refused != known {
            logger.error(
                "the kernel refused entries; they are tried again",
                metadata: ["first": "\(first.0): \(first.1)", "refused": "\(refused.count)"])
        } else if refused.isEmpty, !known.isEmpty {
            logger.notice("every refused entry is in the kernel now")
        }
        guard state.isComplete, let own = state.own, let config = state.config else { return true }
        let file = SubnetFile(
            network: config.network, subnet: own.subnet, ipv6Network: config.ipv6?.network, ipv6Subnet: own.ipv6Subnet,
            mtu: account.mtu ?? settings.underlay.mtu, masquerade: settings.masquerade)
        guard file != state.published else { return true }
        do {
            try await publishSubnet(file)
            state.published = file
            status.update { $0.isSubnetFileWritten = true }
            return true
        } catch {
            logger.error("the subnet file could not be written; trying again", metadata: ["error": "\(error)"])
            status.update { $0.dataplane.problem = "\(error)" }
            return false
        }
    }

    /// Takes this node's entries out of the kernel; the device and the pods' bridge stay.
    func withdraw(_ state: inout State) async {
        state.tracker.unwantAll()
        state.isComplete = true
        let refused = await apply(&state)
        logger.notice("entries withdrawn", metadata: ["refused": "\(refused.count)"])
    }

    private func account(
        of state: State, _ refused: [(Operation<IPv4Address>, DataplaneError)]
    ) -> DataplaneStatus {
        var account = DataplaneStatus()
        account.device = state.prepared?.name
        account.mtu = state.prepared?.mtu ?? settings.underlay.mtu
        account.wanted = state.tracker.wantedCount
        account.present = state.tracker.seenCount
        account.refused = refused.prefix(10).map { "\($0.0): \($0.1)" }
        account.refusedCount = refused.count
        account.problem = nil
        return account
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
