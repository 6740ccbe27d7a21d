// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CurlHTTP
import Etcd
import EtcdStore
import Logging
import NodeClient

/// Where etcd is. Each option is also the daemon's environment variable, such as `TARTAN_ETCD_CAFILE`.
struct EtcdOptions: ParsableArguments {
    @Option(help: "etcd's members, comma-separated.")
    var etcdEndpoints: String?
    @Option(help: "Where config and leases are in etcd. (default: /coreos.com/network)")
    var etcdPrefix: String?
    @Option(help: ArgumentHelp("The authority that signed etcd's certificates, PEM.", valueName: "file"))
    var etcdCafile: String?
    @Option(help: ArgumentHelp("A client certificate for etcd, PEM.", valueName: "file"))
    var etcdCertfile: String?
    @Option(help: ArgumentHelp("The key of that certificate, PEM.", valueName: "file"))
    var etcdKeyfile: String?
    @Option(help: ArgumentHelp("The user to be for etcd.", valueName: "name"))
    var etcdUsername: String?
    @Option(help: ArgumentHelp("A file whose first line is that user's password.", valueName: "file"))
    var etcdPasswordFile: String?

    /// etcd, wherever it is said to be: the option, `TARTAN_ETCD_ENDPOINTS` as for the daemon, this machine.
    func source() throws -> EtcdSource {
        let variable = Terminal.environment("TARTAN_ETCD_ENDPOINTS")
        let text = etcdEndpoints ?? variable ?? "http://127.0.0.1:2379"
        var configuration: EtcdConfiguration
        do {
            configuration = try EtcdConfiguration(
                endpoints: text.split(separator: ",").map { String($0.drop { $0 == " " }) })
        } catch {
            throw ProgramError(
                etcdEndpoints == nil ? .configuration : .usage,
                "\(etcdEndpoints == nil ? "TARTAN_ETCD_ENDPOINTS" : "--etcd-endpoints"): \(error)")
        }
        let certificate = etcdCertfile ?? Terminal.environment("TARTAN_ETCD_CERTFILE")
        let key = etcdKeyfile ?? Terminal.environment("TARTAN_ETCD_KEYFILE")
        let user = etcdUsername ?? Terminal.environment("TARTAN_ETCD_USERNAME")
        let passwordFile = etcdPasswordFile ?? Terminal.environment("TARTAN_ETCD_PASSWORD_FILE")
        let prefix = etcdPrefix ?? Terminal.environment("TARTAN_ETCD_PREFIX") ?? "/coreos.com/network"
        guard (certificate == nil) == (key == nil) else {
            throw ProgramError(.usage, "--etcd-certfile and --etcd-keyfile go together")
        }
        guard (user == nil) == (passwordFile == nil) else {
            throw ProgramError(.usage, "--etcd-username and --etcd-password-file go together")
        }
        guard prefix.hasPrefix("/"), prefix.contains(where: { $0 != "/" }) else {
            throw ProgramError(.usage, "--etcd-prefix '\(prefix)' must be a path such as /coreos.com/network")
        }
        configuration.tls = CurlTLS(
            caFile: etcdCafile ?? Terminal.environment("TARTAN_ETCD_CAFILE"), certFile: certificate, keyFile: key)
        if let user, let passwordFile { configuration.user = EtcdUser(name: user, passwordFile: passwordFile) }
        let logger = Logger(label: "tartan") { _ in SwiftLogNoOpLogHandler() }
        return EtcdSource(
            client: EtcdClient(configuration: configuration, logger: logger), keys: KeySpace(prefix: prefix))
    }
}

/// Whom to ask about leases.
struct SourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon to ask: http://HOST:PORT, https://HOST:PORT or unix:PATH; also TARTAN_SERVER. "
                + "(default: http://127.0.0.1:9470)", valueName: "address"))
    var server: String?
    @OptionGroup(title: "Access to the daemon")
    var access: AccessOptions

    @OptionGroup(title: "Straight to etcd")
    var etcd: EtcdOptions

    func validate() throws {
        if server != nil, etcd.etcdEndpoints != nil {
            throw ValidationError("give --server or --etcd-endpoints, not both")
        }
        if access.isGiven, etcd.etcdEndpoints != nil {
            throw ValidationError(
                "--ca, --cert, --key and --token-file are for a daemon; etcd has --etcd-cafile and its like")
        }
    }

    func source() throws -> any LeaseSource {
        etcd.etcdEndpoints == nil ? DaemonSource(client: try client()) : try etcd.source()
    }

    /// The daemon, for what only a daemon knows.
    func client() throws -> NodeClient {
        let variable = Terminal.environment("TARTAN_SERVER")
        let access = try access.access()
        guard let text = server ?? variable else { return NodeClient(server: .standard, access: access) }
        do {
            return NodeClient(server: try ServerAddress(parsing: text), access: access)
        } catch {
            throw ProgramError(
                server == nil ? .configuration : .usage, "\(server == nil ? "TARTAN_SERVER" : "--server"): \(error)")
        }
    }
}
