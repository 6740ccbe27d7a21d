// SPDX-License-Identifier: Apache-2.0

import JSONText

/// One run of the plugin that a configuration names, found in `CNI_PATH`.
struct DelegateCall {
    private let config: JSONValue
    private let type: String
    private var program: ChildProgram

    init(_ config: JSONValue, _ invocation: Invocation) throws(PluginError) {
        self.config = config
        type = try ConfigurationReader(config, place: "delegate.").text("type") ?? ""
        guard !type.isEmpty, !type.contains("/"), let program = ChildProgram(type, in: invocation.path) else {
            throw PluginError(
                .delegate,
                "the plugin '\(type)' is in none of the folders of CNI_PATH (\(invocation.path.joined(separator: ":"))); "
                    + "install it or correct delegate.type")
        }
        self.program = program
    }

    /// A DEL in place of what this process was asked for.
    init(_ config: JSONValue, _ invocation: Invocation, deleting stale: Attachment) throws(PluginError) {
        try self.init(config, invocation)
        program.set("CNI_COMMAND", Command.delete.rawValue)
        program.set("CNI_CONTAINERID", stale.containerID)
        program.set("CNI_IFNAME", stale.interface)
        program.set("CNI_NETNS", "")
    }

    /// What it says; its error is ours, code and words.
    func run() throws(PluginError) -> [UInt8] {
        let outcome = try program.run(config.bytes)
        if outcome.status == 0 { return outcome.output }
        guard let error = try? JSONValue(parsing: outcome.output), case .number(let digits)? = error["code"],
            let code = Int(digits), case .string(let message)? = error["msg"]
        else {
            let output = String(decoding: outcome.output.prefix(1000), as: UTF8.self)
            throw PluginError(.delegate, "the plugin \(type) ended with status \(outcome.status)", details: output)
        }
        var details = ""
        if case .string(let text)? = error["details"] { details = text }
        throw PluginError(.init(rawValue: code), "\(type): \(message)", details: details)
    }
}
