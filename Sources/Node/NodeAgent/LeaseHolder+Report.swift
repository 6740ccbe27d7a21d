// SPDX-License-Identifier: Apache-2.0

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
            logger.info(
                "another node was quicker; trying the next free subnet",
                metadata: ["subnet": "\(key)", "holder": "\(holder?.announcement.node?.name ?? "unknown")"])
        case .rangeFull(let taken, let size):
            let problem =
                "no subnet is free: \(taken) leases in a range of \(size); waiting for one to end. Widen the range "
                + "in the network config or release leases of nodes that are gone"
            logger.error("\(problem)")
            status.update { $0.leaseProblem = problem }
        case .configMissing:
            let problem = "the network config is missing in etcd; write it with 'tartan network init'"
            logger.error("\(problem)")
            status.update { $0.leaseProblem = problem }
        case .configInvalid(let error):
            let problem = "the network config in etcd can't be used: \(error)"
            logger.error("\(problem)")
            status.update { $0.leaseProblem = problem }
        case .requestFailed(let error, let pause):
            logger.warning("etcd did not do as asked; trying again", metadata: ["error": "\(error)", "in": "\(pause)"])
            status.update { $0.leaseProblem = error.description }
        case .reclaiming(let key):
            logger.warning("the lease ended in etcd; claiming the same subnet again", metadata: ["subnet": "\(key)"])
            status.update { $0.leaseProblem = "the lease of \(key.subnet) ended in etcd and is being claimed again" }
        case .renewed(let until):
            logger.debug("lease renewed", metadata: ["for": "\(until - status.clock.now)"])
            status.update { $0.leaseProblem = nil }
        case .unfit(let key):
            logger.warning(
                "this node's old lease does not fit the network config; it is given up", metadata: ["subnet": "\(key)"])
        }
    }
}
