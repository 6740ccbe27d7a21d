// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import Logging

extension LeaseHolder {
    /// What this node holds for its own from now on, and until when that is sure, in milliseconds since the machine's
    /// start: what is needed to prove from several nodes' logs that no two held one subnet at one time.
    func reportBelief(_ key: SubnetKey?, _ phase: LeasePhase, until deadline: MonotonicTime?, at now: MonotonicTime) {
        var metadata: Logger.Metadata = ["phase": "\(phase.rawValue)", "at": "\(milliseconds(now))"]
        if let key { metadata["subnet"] = "\(key)" }
        if let deadline { metadata["until"] = "\(milliseconds(deadline))" }
        logger.debug("what this node holds", metadata: metadata)
    }

    private func milliseconds(_ time: MonotonicTime) -> Int64 {
        Int64(status.clock.sinceBoot(time) / .milliseconds(1))
    }

    /// Puts a notice into words, for the log and, where it says what the lease waits for, for the status.
    func report(_ notice: LeaseHolderNotice) {
        switch notice {
        case .claimConflict(let key, let holder):
            status.metrics.count(.claim)
            logger.info(
                "another node was quicker; trying the next free subnet",
                metadata: ["subnet": "\(key)", "holder": "\(holder?.announcement.node?.name ?? "unknown")"])
        case .rangeFull(let taken, let size):
            let problem =
                "no subnet is free: \(taken) leases in a range of \(size); waiting for one to end. Widen the range "
                + "in the network config or release leases of nodes that are gone"
            logger.error("\(problem)")
            status.update { $0.leaseProblem = problem }
        case .configMissing: configProblem(of: .missing)
        case .configInvalid(let error): configProblem(of: .invalid(error))
        case .configRefused(let error):
            configProblem(
                "the new network config at \(status.configKey) in etcd can't be applied here, the one before stays in "
                    + "force: \(error)")
        case .requestFailed(let error, let pause):
            let isNews = status.update { snapshot in
                defer { snapshot.leaseProblem = error.description }
                return snapshot.leaseProblem != error.description
            }
            let level: Logger.Level = error.remedy == .operatorNeeded ? .error : .warning
            logger.log(
                level: isNews ? level : .debug, "etcd did not do as asked; trying again",
                metadata: ["error": "\(error)", "in": "\(pause)"])
        case .reclaiming(let key):
            logger.warning("the lease ended in etcd; claiming the same subnet again", metadata: ["subnet": "\(key)"])
            status.update { $0.leaseProblem = "the lease of \(key.text) ended in etcd and is being claimed again" }
        case .renewed(let until):
            let hadProblem = status.update { snapshot in
                defer { snapshot.leaseProblem = nil }
                return snapshot.leaseProblem != nil
            }
            logger.log(
                level: hadProblem ? .notice : .debug, "lease renewed",
                metadata: ["for": "\(until - status.clock.now)"])
        case .unfit(let key):
            logger.warning(
                "this node's old lease does not fit the network config; it is given up", metadata: ["subnet": "\(key)"])
        case .unfitKept(let key):
            logger.warning(
                "this node's lease lies outside of what the network config gives out; it is kept until a restart",
                metadata: ["subnet": "\(key)"])
        case .identityConflict(let conflict):
            status.metrics.count(.identity)
            logger.critical(
                "another node goes by this one's name or address, and is to stop",
                metadata: [
                    "subnet": "\(conflict.lease.key)",
                    "holder": "\(conflict.lease.announcement.node?.name ?? "unknown")",
                    "publicIP": "\(conflict.address)",
                ])
        case .addressChanged(let address, let ipv6):
            let addresses = (address == .any ? [] : ["\(address)"]) + (ipv6.map { ["\($0)"] } ?? [])
            logger.notice(
                "this node's public address has changed; its lease is to say so",
                metadata: ["publicIP": "\(addresses.joined(separator: ", "))"])
        case .addressTaken(let conflict): logger.error("\(conflict)")
        case .overlap(let lease):
            status.metrics.count(.overlap)
            logger.critical(
                "another lease covers this node's subnet; the younger of the two gives way",
                metadata: [
                    "subnet": "\(lease.key)", "holder": "\(lease.announcement.node?.name ?? "unknown")",
                ])
        case .reservationWaits(let key):
            logger.notice(
                "a subnet is reserved for this node, which takes it when it starts without a lease",
                metadata: ["subnet": "\(key)"])
        }
    }

    private func configProblem(of reading: ConfigReading) {
        guard let problem = reading.problem(at: status.configKey) else { return }
        let isKept = status.read { if case .valid? = $0.config { true } else { false } }
        configProblem(isKept ? problem + "; until then the one before stays in force" : problem)
    }

    /// What etcd's config says can't be done: the last good one, if there was one, stays in force.
    private func configProblem(_ problem: String) {
        logger.error("\(problem)")
        status.update {
            $0.configProblem = problem
            if $0.lease == nil { $0.leaseProblem = problem }
        }
    }
}
