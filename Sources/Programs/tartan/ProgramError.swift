// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Dataplane
import Etcd
import Lab
import Leases
import NodeClient

/// The program's last word: one sentence, and what it exits with.
struct ProgramError: Error, Hashable, CustomStringConvertible {
    let status: ExitStatus
    let description: String

    init(_ status: ExitStatus, _ sentence: String) {
        self.status = status
        description = sentence
    }
}

extension ProgramError {
    /// What any part below says, classed for the caller.
    init(_ error: any Error) {
        switch error {
        case let error as ProgramError: self = error
        case let error as NodeClientError: self.init(Self.status(of: error), "\(error)")
        case let error as LeaseStoreError:
            self.init(error.remedy == .operatorNeeded ? .configuration : .unavailable, error.description)
        case let error as EtcdError: self.init(error.needsOperator ? .configuration : .unavailable, error.description)
        case let error as NetworkConfigError:
            self.init(.configuration, "the network config can't be used: \(error)")
        case let error as DataplaneError: self.init(.notPermitted, error.description)
        case let error as LabFault: self.init(Self.status(of: error.kind), error.description)
        case let error as LabError: self.init(.unavailable, error.description)
        case is CancellationError: self.init(.unavailable, "interrupted")
        default: self.init(.bug, "\(error)")
        }
    }

    private static func status(of error: NodeClientError) -> ExitStatus {
        if case .badAccess = error { return .configuration }
        return switch error.status {
        case 400: .usage
        case 401, 403: .notPermitted
        case 404, 409, 412: .refused
        default: .unavailable
        }
    }

    private static func status(of kind: LabFault.Kind) -> ExitStatus {
        switch kind {
        case .notPermitted: .notPermitted
        case .missing: .unavailable
        case .conflict, .absent: .refused
        case .usage: .usage
        case .configuration: .configuration
        case .failed: .unavailable
        }
    }
}
