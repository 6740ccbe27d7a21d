// SPDX-License-Identifier: Apache-2.0

import JSONText

/// Why an operation was not done, in the form that the runtime reads: a number, a sentence and, where there is more to
/// say, the cause.
struct PluginError: Error, Hashable {
    /// Below 100 the specification's numbers ("Well-known Error Codes"), from 100 on this plugin's own.
    struct Code: RawRepresentable, Hashable {
        let rawValue: Int

        static let incompatibleVersion = Code(rawValue: 1)
        static let unsupportedField = Code(rawValue: 2)
        /// The container is not there: the runtime need not clean up.
        static let unknownContainer = Code(rawValue: 3)
        static let badEnvironment = Code(rawValue: 4)
        static let inputOutput = Code(rawValue: 5)
        static let undecodable = Code(rawValue: 6)
        static let badConfiguration = Code(rawValue: 7)
        static let tryAgain = Code(rawValue: 11)
        /// No pod can be added.
        static let unavailable = Code(rawValue: 50)
        /// No pod can be added, and those that are there may be cut off.
        static let cutOff = Code(rawValue: 51)

        static let exhausted = Code(rawValue: 100)
        static let addressTaken = Code(rawValue: 101)
        static let alreadyAdded = Code(rawValue: 102)
        static let kernel = Code(rawValue: 103)
        /// CHECK: something is not as ADD left it.
        static let mismatch = Code(rawValue: 104)
        static let corruptStore = Code(rawValue: 105)
        static let delegate = Code(rawValue: 106)
        static let masquerade = Code(rawValue: 107)
    }

    let code: Code
    /// One sentence: what was wrong, and what to do.
    let message: String
    let details: String

    init(_ code: Code, _ message: String, details: String = "") {
        self.code = code
        self.message = message
        self.details = details
    }

    /// The error as the specification has it; without a version where the configuration was not understood so far.
    func json(_ version: String) -> JSONValue {
        var object = JSONValue.object([
            .init("cniVersion", .string(version)), .init("code", .integer(code.rawValue)),
            .init("msg", .string(message)),
        ])
        if !details.isEmpty { object.set("details", .string(details)) }
        return object
    }
}
