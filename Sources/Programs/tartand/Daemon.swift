// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CHost
import Dataplane
import FoundationEssentials
import Glibc
import Leases
import Logging
import NodeAPI
import SystemPackage

/// `tartand`.
@main
struct Daemon {
    static func main() async {
        exit(await run().rawValue)
    }

    private static func run() async -> ExitStatus {
        chost_bound_memory()
        let options: DaemonOptions
        do {
            options = try DaemonOptions.parse()
        } catch {
            guard DaemonOptions.exitCode(for: error) != .success else {
                // --help and --version
                print(DaemonOptions.message(for: error))
                return .success
            }
            return fail(.usage, "\(DaemonOptions.message(for: error)); see 'tartand --help'")
        }
        let environment = ProcessInfo.processInfo.environment
        let notifier = SystemdNotifier(environment: environment)
        do {
            let reader = try await OptionReader(
                given: options.given, environment: environment, configFile: options.config)
            let configuration = try DaemonConfiguration(reader, hostName: ProcessInfo.processInfo.hostName)
            Logs.start(level: configuration.logLevel, format: configuration.logFormat)
            let assembly = Assembly(
                configuration: configuration, notifier: notifier, logger: Logger(label: "tartand"))
            try await assembly.run()
            return .success
        } catch {
            return fail(status(of: error), "\(error)")
        }
    }

    private static func status(of error: any Error) -> ExitStatus {
        switch error {
        case let fault as ConfigurationFault: return fault.exitStatus
        case let stop as LeaseHolderStop: if case .leaseLost = stop { return .leaseLost } else { return .configuration }
        case is ListenError: return .unavailable
        case is AccessError: return .configuration
        case let error as DataplaneError:
            switch error.remedy {
            case .notPermitted: return .notPermitted
            case .misconfigured: return .configuration
            case .retry, .resync: return .unavailable
            }
        default: return .bug
        }
    }

    private static func fail(_ status: ExitStatus, _ sentence: String) -> ExitStatus {
        let line = sentence.split(whereSeparator: \.isNewline).joined(separator: " ")
        _ = try? FileDescriptor.standardError.writeAll("tartand: \(line)\n".utf8)
        return status
    }
}
