// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import NodeClient

/// How a daemon is known and how it knows us. A token is never an argument: everybody on the host sees those.
struct AccessOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The authority that signed the daemon's certificate, PEM; also TARTAN_CA. (default: the system's)",
            valueName: "file"), completion: .file())
    var ca: String?
    @Option(help: ArgumentHelp("A client certificate, PEM; also TARTAN_CERT.", valueName: "file"), completion: .file())
    var cert: String?
    @Option(
        help: ArgumentHelp("The key of that certificate, PEM; also TARTAN_KEY.", valueName: "file"), completion: .file()
    )
    var key: String?
    @Option(
        help: ArgumentHelp("A file whose first line is a token; also TARTAN_TOKEN_FILE.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    var isGiven: Bool { [ca, cert, key, tokenFile].contains { $0 != nil } }

    func access() throws -> NodeAccess {
        func value(_ option: String?, _ variable: String) -> String? {
            option ?? Terminal.environment(variable).flatMap { $0.isEmpty ? nil : $0 }
        }
        let access = NodeAccess(
            authority: value(ca, "TARTAN_CA"), certificate: value(cert, "TARTAN_CERT"), key: value(key, "TARTAN_KEY"),
            tokenFile: value(tokenFile, "TARTAN_TOKEN_FILE"))
        guard (access.certificate == nil) == (access.key == nil) else {
            throw ProgramError(
                cert == nil && key == nil ? .configuration : .usage,
                "--cert and --key (TARTAN_CERT and TARTAN_KEY) go together; give both")
        }
        return access
    }
}
