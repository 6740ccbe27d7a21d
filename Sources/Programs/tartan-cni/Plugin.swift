// SPDX-License-Identifier: Apache-2.0

import Glibc
import JSONText

/// The program: one operation, its result or its error in JSON on standard output, and the exit status that says which.
enum Plugin {
    static func main(arguments: [String]) -> Int32 {
        if arguments.dropFirst().contains("--version") {
            print(Array("tartan-cni \(Version.text), CNI \(SpecVersion.list)\n".utf8))
            return 0
        }
        // A runtime that does not listen any more must not keep us from cleaning up.
        signal(SIGPIPE, SIG_IGN)
        var version = SpecVersion.newest.rawValue
        do throws(PluginError) {
            let invocation = try Invocation()
            let input = try Disk.read(0, "standard input")
            if invocation.command == .version { return print(try versions(input)) ? 0 : 1 }
            if case .string(let text)? = try NetworkConfiguration.parse(input)["cniVersion"] { version = text }
            let configuration = try NetworkConfiguration(input, invocation)
            guard let result = try perform(invocation, configuration) else { return 0 }
            return print(result.bytes + [0x0A]) ? 0 : 1
        } catch {
            print(error.json(version).bytes + [0x0A])
            return 1
        }
    }

    private static func perform(
        _ invocation: Invocation, _ configuration: NetworkConfiguration
    ) throws(PluginError) -> JSONValue? {
        if let options = configuration.delegate {
            let delegate = Delegate(configuration: configuration, options: options, invocation: invocation)
            switch invocation.command {
            case .add: return try delegate.add()
            case .delete: try delegate.delete()
            case .check: try delegate.check()
            case .garbageCollection: try delegate.collectGarbage()
            case .status: try delegate.status()
            case .version: break
            }
            return nil
        }
        switch invocation.command {
        case .add: return try Add(configuration: configuration, invocation: invocation).run()
        case .delete:
            let attachment = Attachment(containerID: invocation.containerID, interface: invocation.interface)
            try Delete(
                configuration: configuration, attachment: attachment, namespace: invocation.namespace
            ).run()
        case .check: try Check(configuration: configuration, invocation: invocation).run()
        case .garbageCollection: try GarbageCollection(configuration: configuration).run()
        case .status: try Status(configuration: configuration).run()
        case .version: break
        }
        return nil
    }

    /// The answer to VERSION, in the version of the question; old runtimes ask without one.
    static func versions(_ input: [UInt8]) throws(PluginError) -> [UInt8] {
        var version = SpecVersion.newest.rawValue
        if input.contains(where: { $0 > 0x20 }),
            case .string(let text)? = try NetworkConfiguration.parse(input)["cniVersion"]
        {
            version = text
        }
        let answer = JSONValue.object([
            .init("cniVersion", .string(version)),
            .init("supportedVersions", .array(SpecVersion.allCases.map { .string($0.rawValue) })),
        ])
        return answer.bytes + [0x0A]
    }

    @discardableResult
    private static func print(_ bytes: [UInt8]) -> Bool { Disk.write(bytes, to: 1) }
}
