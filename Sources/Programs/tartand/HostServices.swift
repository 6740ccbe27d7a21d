// SPDX-License-Identifier: Apache-2.0

import Dataplane
import LinuxDataplane
import Logging
import NodeAgent
import ServiceLifecycle

/// What looks after the host beside the peers' entries: the masquerading, and what else keeps packets from their way.
struct HostServices {
    /// `nil` without `--ip-masq`.
    let masquerader: Masquerader<LinuxMasqueradeDriver>?
    let checker: HostChecker<LinuxHostInspector>

    init(
        _ configuration: DaemonConfiguration, _ status: NodeStatus, _ underlay: Underlay, _ logger: Logger
    ) throws {
        checker = HostChecker(
            inspector: try LinuxHostInspector(), status: status, underlay: underlay, device: configuration.device,
            resync: configuration.resync, logger: logger)
        guard configuration.masquerade else {
            masquerader = nil
            return
        }
        masquerader = Masquerader(
            driver: LinuxMasqueradeDriver(), status: status, resync: configuration.resync,
            withdrawsOnShutdown: configuration.whenStopped != .keep, logger: logger)
    }

    var services: [any Service] { (masquerader.map { [$0] } ?? []) + [checker] as [any Service] }

    /// Takes away what an earlier run with `--ip-masq` left, where this one is without it.
    func forgetMasquerading(logger: Logger) async {
        guard masquerader == nil else { return }
        do {
            try await LinuxMasqueradeDriver().withdraw()
        } catch {
            logger.warning("an older masquerading could not be looked for", metadata: ["error": "\(error)"])
        }
    }
}
