// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import Logging

extension Reconciler {
    /// Says how things stand, and gives the subnet to the pods once it can carry them, which is not said of a kernel
    /// that was found to be another than it was taken for; `false` where that failed.
    func publish(_ state: inout ReconcilerState, isSound: Bool) async -> Bool {
        guard forfeit(&state) else { return false }
        guard state.ipv4.table != nil || state.ipv6.table != nil else {
            if let problem = state.problem { status.update { $0.dataplane.problem = problem } }
            return true
        }
        let account = account(of: state)
        status.update { $0.dataplane = account }
        guard isSound, state.isComplete, let file = subnetFile(&state, mtu: account.mtu) else { return true }
        guard file != state.published else { return true }
        do {
            try await publishSubnet(file)
            state.published = file
            status.update {
                $0.isSubnetFileWritten = true
                $0.subnetFileProblem = nil
            }
            return true
        } catch {
            reportFile(error)
            return false
        }
    }

    /// What pods may have: of each family that is carried. A pod's address of another would lead nowhere.
    private func subnetFile(_ state: inout ReconcilerState, mtu: Int?) -> SubnetFile? {
        guard let own = state.own, let situation = Situation(state) else { return nil }
        let config = situation.config
        // Who only leases can't tell what is carried.
        let hasIPv4 = settings.carriesTraffic ? situation.carries(IPv4Address.self) : config.hasIPv4
        let hasIPv6 = settings.carriesTraffic ? situation.carries(IPv6Address.self) : config.ipv6 != nil
        if config.ipv6 != nil, !hasIPv6, !state.hasToldOfIPv6 {
            state.hasToldOfIPv6 = true
            logger.warning(
                "the network has IPv6, and the underlay has no global IPv6 address: pods here get IPv4 addresses alone",
                metadata: ["interface": "\(situation.underlay.name)"])
        }
        return SubnetFile(
            network: hasIPv4 ? config.network : .noIPv4, subnet: hasIPv4 ? own.subnet : .noIPv4,
            ipv6Network: hasIPv6 ? config.ipv6?.network : nil, ipv6Subnet: hasIPv6 ? own.ipv6Subnet : nil,
            mtu: mtu ?? situation.underlay.mtu, masquerade: settings.masquerade)
    }

    /// The holder has written it, if it could: here it is tried again.
    private func forfeit(_ state: inout ReconcilerState) -> Bool {
        guard let lost = state.lost else { return true }
        do {
            try forfeitSubnet(lost)
            state.lost = nil
            status.update { $0.subnetFileProblem = nil }
            return true
        } catch {
            reportFile(error)
            return false
        }
    }

    private func reportFile(_ error: any Error) {
        let problem = "\(error)"
        let isNews = status.update { snapshot in
            defer { snapshot.subnetFileProblem = problem }
            return snapshot.subnetFileProblem != problem
        }
        logger.log(
            level: isNews ? .error : .debug, "the subnet file could not be written; trying again",
            metadata: ["error": "\(error)"])
    }

    /// Where peers are told of an address that is not there (any more).
    private func addressProblem(_ state: ReconcilerState) -> String? {
        if let address = state.lostPublicIP {
            return "this host no longer has the public address \(address), which the lease announces as --public-ip "
                + "says; give it back, or restart tartand with another --public-ip"
        }
        let announced = state.own.flatMap { own in status.read { $0.leases[own]?.announcement.publicIP } }
        guard let announced, announced != state.underlay.publicIP else { return nil }
        return "the lease announces \(announced), but the address of '\(state.underlay.name)' is "
            + "\(state.underlay.publicIP) now"
    }

    private func account(of state: ReconcilerState) -> DataplaneStatus {
        let (ipv4, ipv6) = (state.ipv4, state.ipv6)
        var account = DataplaneStatus()
        account.device = ipv4.deviceName ?? ipv6.deviceName
        account.ipv6Device = ipv6.deviceName
        // A pod has one MTU for both.
        account.mtu = [ipv4.deviceMTU, ipv6.deviceMTU].compactMap(\.self).min() ?? state.underlay.mtu
        account.repairs = ipv4.repairs + ipv6.repairs
        account.fights = (fights(of: ipv4) + fights(of: ipv6)).sorted().prefix(10).map(\.self)
        account.lastAudit = state.lastAudit
        account.problem = state.problem ?? addressProblem(state)
        account.local = ipv4.local
        account.ipv6Local = ipv6.local?.backend == BackendConfig.none ? nil : ipv6.local
        var refused: [String] = []
        add(ipv4, of: state, to: &account, &refused)
        add(ipv6, of: state, to: &account, &refused)
        account.refused = refused.sorted().prefix(10).map(\.self)
        account.refusedCount = refused.count
        return account
    }

    private func fights<Address: DataplaneAddress>(of family: FamilyState<Address>) -> [String] {
        let now = status.clock.now
        return family.deviceFight.held(at: now).map { "device \($0)" } + family.fights.held(at: now).map(\.description)
    }

    private func add<Address: DataplaneAddress>(
        _ family: FamilyState<Address>, of state: ReconcilerState, to account: inout DataplaneStatus,
        _ refused: inout [String]
    ) {
        refused += family.refused.values
        guard let tracker = family.table?.tracker else { return }
        account.wanted += tracker.wantedCount
        account.present += tracker.seenCount
        account.pendingCount += tracker.pendingCount
        // Before the first complete snapshot all that the kernel has may still be wanted, and without the device nothing
        // can be there: the list would have everything.
        guard state.isComplete, family.problem == nil else { return }
        account.pending += tracker.pendingEntries(
            limit: DataplaneStatus.pendingLimit - account.pending.count,
            DeviceNames(vxlan: family.deviceName ?? "", underlay: state.underlay.name))
    }
}
