// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import IPAddressing
import Leases
package import Logging
import ServiceLifecycle

/// Looks at the host now and then, lets it forward if it does not, and publishes what is in the pods' way.
///
/// What it finds keeps nothing from going on: it may be wrong, and a network that half works is better than none.
package struct HostChecker<Inspector: HostInspector>: Service {
    private let inspector: Inspector
    private let status: NodeStatus
    private let underlay: Underlay
    private let device: String?
    private let resync: Duration
    /// How often the host is looked at while the dataplane can't be set up.
    private let impatience: Duration
    private let logger: Logger
    /// One element or none, however often a look is asked for.
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    /// The device's name; `nil`: `tartan.VNI`.
    package init(
        inspector: Inspector, status: NodeStatus, underlay: Underlay, device: String?, resync: Duration, logger: Logger,
        impatience: Duration = .seconds(3)
    ) {
        self.inspector = inspector
        self.status = status
        self.underlay = underlay
        self.device = device
        self.resync = resync
        self.impatience = impatience
        self.logger = logger
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks for a look soon: the network's config or the node's subnet is known now, or another.
    package func check() { signal.yield() }

    package func run() async throws {
        var isReported = false
        signal.yield()
        let looks = signals.cancelOnGracefulShutdown()
        await withDiscardingTaskGroup { group in
            defer { group.cancelAll() }
            group.addTask { while (try? await Task.sleep(for: pause)) != nil { signal.yield() } }
            for await _ in looks { await look(&isReported) }
        }
    }

    /// While the dataplane can't be set up, what is in the way is most wanted, and nobody else asks for a look.
    private var pause: Duration {
        status.read { $0.dataplane.problem == nil } ? resync : min(resync, impatience)
    }

    private func look(_ isReported: inout Bool) async {
        guard let wanted = expectation() else { return }
        do {
            publish(try await facts(wanted).findings(for: wanted))
            isReported = false
        } catch {
            logger.log(
                level: isReported ? .debug : .warning, "the host can't be looked at", metadata: ["error": "\(error)"])
            isReported = true
        }
    }

    /// `nil` while the network's config is not known.
    private func expectation() -> HostExpectation? {
        status.read { snapshot in
            guard case .valid(let config)? = snapshot.config else { return nil }
            var wanted = HostExpectation(
                config: config, own: snapshot.lease?.key, underlay: snapshot.underlay ?? underlay, device: device ?? "")
            if case .vxlan(let vxlan) = config.backend {
                wanted.device = IPv4Address.deviceName(vni: vxlan.vni, chosen: device)
                if config.ipv6 != nil { wanted.ipv6Device = IPv6Address.deviceName(vni: vxlan.vni, chosen: device) }
            }
            return wanted
        }
    }

    /// The host as it is once it forwards, if it can be made to.
    private func facts(_ wanted: HostExpectation) async throws(DataplaneError) -> HostFacts {
        let facts = try await inspector.facts()
        guard facts.findings(for: wanted).contains(where: { $0.check == .forwarding }) else { return facts }
        do {
            try await inspector.enableForwarding(ipv6: wanted.config.ipv6 != nil, underlay: wanted.underlay.name)
            logger.notice("this host did not forward packets and does now")
        } catch {
            logger.debug("the host is left as it is", metadata: ["error": "\(error)"])
        }
        return try await inspector.facts()
    }

    private func publish(_ findings: [HostFinding]) {
        let known = status.update { snapshot in
            defer { snapshot.findings = findings }
            return snapshot.findings
        }
        for finding in findings where !known.contains(finding) {
            let level: Logger.Level =
                switch finding.severity {
                case .note: .info
                case .warning: .warning
                case .fault: .error
                }
            logger.log(
                level: level, "something about this host is in the way",
                metadata: [
                    "check": "\(finding.check.rawValue)", "what": "\(finding.what)", "why": "\(finding.why)",
                    "remedy": "\(finding.remedy)",
                ])
        }
        for finding in known where !findings.contains(where: { $0.check == finding.check }) {
            logger.notice("mended", metadata: ["check": "\(finding.check.rawValue)", "what": "\(finding.what)"])
        }
    }
}
