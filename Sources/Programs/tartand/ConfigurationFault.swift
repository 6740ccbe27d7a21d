// SPDX-License-Identifier: Apache-2.0

/// What is wrong with an option, and where it was given.
struct ConfigurationFault: Error, Hashable, CustomStringConvertible {
    enum Origin: Hashable {
        case commandLine
        case environment
        case file(String)
    }

    let origin: Origin
    /// The option as it is spelled there.
    let subject: String
    let reason: String
    /// It is no slip of the pen: the option is well written, and what it asks for must not be, wherever it was given.
    var isForbidden = false

    init(_ origin: Origin, _ option: OptionName, _ reason: String) {
        let subject =
            switch origin {
            case .commandLine: "--\(option.rawValue)"
            case .environment: option.environmentName
            case .file(let path): "'\(option.rawValue)' in \(path)"
            }
        self.init(origin: origin, subject: subject, reason: reason)
    }

    init(origin: Origin, subject: String, reason: String) {
        self.origin = origin
        self.subject = subject
        self.reason = reason
    }

    var exitStatus: ExitStatus { origin == .commandLine && !isForbidden ? .usage : .configuration }

    var description: String { "\(subject) \(reason)" }
}
