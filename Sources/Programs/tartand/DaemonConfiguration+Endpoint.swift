// SPDX-License-Identifier: Apache-2.0

import NodeAPI

extension DaemonConfiguration {
    /// Where the REST endpoint listens, and how its clients are protected and known.
    static func endpoint(
        _ values: OptionValues
    ) throws(ConfigurationFault) -> (listeners: [APIListener], access: AccessFiles) {
        let access = try access(values)
        let isInsecure = try values.flag(.apiInsecure)
        var listeners: [APIListener] = []
        for option in [OptionName.apiListen, .apiListenReadOnly] {
            let found = try values.find(option) ?? (option == .apiListen ? ["127.0.0.1:9470"] : [], .commandLine)
            let addresses = try Self.addresses(found, option)
            for address in addresses where address != .none {
                if !address.isLocal, !isInsecure { try Self.check(address, access, found.origin, option) }
                guard !listeners.contains(where: { $0.address == address && address.hasOwnPlace }) else {
                    throw ConfigurationFault(found.origin, option, "\(address) is there twice; give it once")
                }
                listeners.append(APIListener(address, isReadOnly: option == .apiListenReadOnly))
            }
        }
        return (listeners, access)
    }

    private static func addresses(
        _ found: OptionReader.Found, _ option: OptionName
    ) throws(ConfigurationFault) -> [ListenAddress] {
        let texts = found.values.flatMap { value in value.split(separator: ",", omittingEmptySubsequences: false) }
            .map { text in String(text.drop { $0 == " " }) }
        var addresses: [ListenAddress] = []
        for text in texts {
            do {
                addresses.append(try ListenAddress(parsing: text))
            } catch {
                throw ConfigurationFault(found.origin, option, "\(error)")
            }
        }
        if addresses.contains(.none), addresses.count > 1 {
            throw ConfigurationFault(found.origin, option, "'none' can't be one address among others")
        }
        return addresses
    }

    /// What others can reach is never open by accident.
    private static func check(
        _ address: ListenAddress, _ access: AccessFiles, _ origin: ConfigurationFault.Origin, _ option: OptionName
    ) throws(ConfigurationFault) {
        let missing: String
        switch (access.hasTLS, access.canAuthenticate) {
        case (true, true): return
        case (true, false):
            missing = "nobody need prove who they are; give --api-token-file or --api-client-cafile"
        case (false, true):
            missing =
                "what is said there, tokens too, can be listened in on; give --api-tls-certfile and --api-tls-keyfile"
        case (false, false):
            missing =
                "there is no TLS and nobody need prove who they are; give --api-tls-certfile and --api-tls-keyfile, and "
                + "--api-token-file or --api-client-cafile"
        }
        var fault = ConfigurationFault(
            origin, option,
            "\(address) can be reached from other hosts, and \(missing), listen on loopback or a socket, or say "
                + "--api-insecure")
        fault.isForbidden = true
        throw fault
    }

    private static func access(_ values: OptionValues) throws(ConfigurationFault) -> AccessFiles {
        let access = AccessFiles(
            certificate: try values.text(.apiTLSCertFile), key: try values.text(.apiTLSKeyFile),
            clientAuthorities: try values.text(.apiClientCAFile), tokens: try values.text(.apiTokenFile))
        for (option, partner) in [
            (OptionName.apiTLSCertFile, OptionName.apiTLSKeyFile), (.apiTLSKeyFile, .apiTLSCertFile),
            (.apiClientCAFile, .apiTLSCertFile),
        ] {
            guard let found = try values.find(option), try values.find(partner) == nil else { continue }
            throw ConfigurationFault(found.origin, option, "needs --\(partner.rawValue)")
        }
        return access
    }
}

extension ListenAddress {
    /// Whether nobody else can have it: of port 0 there are many.
    fileprivate var hasOwnPlace: Bool {
        if case .tcp(_, port: 0) = self { return false }
        return true
    }
}
