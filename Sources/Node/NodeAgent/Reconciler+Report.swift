// SPDX-License-Identifier: Apache-2.0

import Dataplane
import Leases
import Logging

extension Reconciler {
    /// Says how things stand, and gives the subnet to the pods once it can carry them, which is not said of a kernel
    /// that was found to be another than it was taken for; `false` where that failed.
    func publish(_ state: inout ReconcilerState, isSound: Bool) async -> Bool {
        guard let table = state.table else { return true }
        let account = account(of: state, table)
        status.update { $0.dataplane = account }
        guard isSound, state.isComplete, let own = state.own, let config = state.config else { return true }
        if config.ipv6 != nil, !state.hasToldOfIPv6 {
            state.hasToldOfIPv6 = true
            logger.warning(
                "IPv6 is not programmed: pods get IPv4 addresses alone, whatever the network's EnableIPv6 says",
                metadata: ["ipv6Network": "\(config.ipv6.map { "\($0.network)" } ?? "")"])
        }
        // A pod's IPv6 address would lead nowhere.
        let file = SubnetFile(
            network: config.network, subnet: own.subnet, mtu: account.mtu ?? state.underlay.mtu,
            masquerade: settings.masquerade)
        return await publish(file, &state)
    }

    /// Says in the subnet file that the subnet is another node's now, so that no pod gets an address of it any more;
    /// `false` where that failed.
    func tellOfLoss(_ state: inout ReconcilerState) async -> Bool {
        guard state.own == nil, var file = state.published else { return true }
        file.isLeaseLost = true
        return await publish(file, &state)
    }

    private func publish(_ file: SubnetFile, _ state: inout ReconcilerState) async -> Bool {
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
            let problem = "\(error)"
            let isNews = status.update { snapshot in
                defer { snapshot.subnetFileProblem = problem }
                return snapshot.subnetFileProblem != problem
            }
            logger.log(
                level: isNews ? .error : .debug, "the subnet file could not be written; trying again",
                metadata: ["error": "\(error)"])
            return false
        }
    }

    private func account(of state: ReconcilerState, _ table: PeerTable) -> DataplaneStatus {
        var account = DataplaneStatus()
        account.device = state.deviceName
        account.mtu = state.deviceMTU ?? state.underlay.mtu
        account.wanted = table.tracker.wantedCount
        account.present = table.tracker.seenCount
        account.refused = state.refused.values.sorted().prefix(10).map(\.self)
        account.refusedCount = state.refused.count
        let now = status.clock.now
        let fights =
            state.deviceFight.held(at: now).map { "device \($0)" } + state.fights.held(at: now).map(\.description)
        account.fights = fights.sorted().prefix(10).map(\.self)
        account.repairs = state.repairs
        account.lastAudit = state.lastAudit
        account.problem = state.underlayProblem
        account.local = state.local
        account.pendingCount = table.tracker.pendingCount
        account.pending = table.tracker.pendingEntries(
            limit: DataplaneStatus.pendingLimit,
            DeviceNames(vxlan: state.deviceName ?? "", underlay: state.underlay.name))
        return account
    }
}
