// SPDX-License-Identifier: Apache-2.0

/// A file of the endpoint's access that can't be used, by the option that names it.
package struct AccessError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Option: String, Sendable {
        case certificate = "--api-tls-certfile"
        case key = "--api-tls-keyfile"
        case clientAuthorities = "--api-client-cafile"
        case tokens = "--api-token-file"
    }

    package let option: Option
    package let path: String
    /// What is wrong and what to do, the end of a sentence; nothing of the file's contents.
    package let reason: String

    package var description: String { "\(option.rawValue): \(path) \(reason)" }
}
