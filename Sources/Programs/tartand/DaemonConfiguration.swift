// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Dataplane
import Etcd
import EtcdStore
import FoundationEssentials
import IPAddressing
import Leases
import Logging
import NodeAPI

/// Every option, checked, with its default where it was not given.
struct DaemonConfiguration {
    enum WhenStopped: String, CaseIterable {
        case keep, withdraw, release
    }

    enum LogFormat: String, CaseIterable {
        case text, json
    }

    enum DataplaneKind: String, CaseIterable {
        case netlink, none
    }

    var etcd: EtcdConfiguration
    var keys: KeySpace
    var node: NodeID
    var underlay: UnderlaySelection
    var leaseTTL: Duration
    var subnetFile: String
    /// `--subnet-file none`: nobody on this host would use a subnet, so none is leased.
    var leasesForItself = true
    var stateDirectory: String
    /// `nil`: container runtimes are not told of the network.
    var conflist: CNIConflist?
    var device: String?
    var dataplane: DataplaneKind
    var masquerade: Bool
    var resync: Duration
    var whenLost: LeaseHolderStateMachine.WhenLost
    var whenStopped: WhenStopped
    var listeners: [APIListener]
    var access: AccessFiles
    var logLevel: Logger.Level
    var logFormat: LogFormat

    init(_ options: OptionReader, hostName: String) throws(ConfigurationFault) {
        let values = OptionValues(reader: options)
        etcd = try Self.etcd(values)
        keys = KeySpace(prefix: try Self.prefix(values))
        node = try Self.node(values, hostName: hostName)
        underlay = try Self.underlay(values)
        leaseTTL = try values.duration(.leaseTTL, default: .seconds(86_400), in: .seconds(2) ... .seconds(31_536_000))
        resync = try values.duration(.resync, default: .seconds(300), in: .seconds(1) ... .seconds(31_536_000))
        subnetFile = try values.text(.subnetFile) ?? "/run/flannel/subnet.env"
        stateDirectory = try values.text(.stateDirectory) ?? "/var/lib/tartan"
        conflist = try Self.conflist(values, subnetFile: subnetFile)
        device = try Self.device(values)
        dataplane = try values.choice(.dataplane, default: .netlink)
        if let found = try values.find(.subnetFile), found.values.first == "none" {
            guard dataplane == .none else {
                throw ConfigurationFault(
                    found.origin, .subnetFile,
                    "can be 'none' only with --dataplane none: pods need to know their subnet")
            }
            leasesForItself = false
        }
        masquerade = try values.flag(.ipMasq)
        whenLost = try values.oneOf(.onLeaseLost, ["move": .move, "stop": .stop]) ?? .move
        whenStopped = try values.choice(.onShutdown, default: .keep)
        logFormat = try values.choice(.logFormat, default: .text)
        let levels = Dictionary(uniqueKeysWithValues: Logger.Level.allCases.map { ($0.rawValue, $0) })
        logLevel = try values.oneOf(.logLevel, levels) ?? .info
        (listeners, access) = try Self.endpoint(values)
        if !leasesForItself, listeners.allSatisfy(\.isReadOnly) {
            var fault = ConfigurationFault(
                try values.find(.subnetFile)?.origin ?? .commandLine, .subnetFile,
                "'none' leaves the daemon nothing but leasing to others, and nobody could ask it to; give --api-listen "
                    + "an address")
            fault.isForbidden = true
            throw fault
        }
        etcd.first = Int(truncatingIfNeeded: node.hash64 >> 33)
    }

    private static func etcd(_ values: OptionValues) throws(ConfigurationFault) -> EtcdConfiguration {
        let endpoints = try values.find(.etcdEndpoints) ?? (["http://127.0.0.1:2379"], .commandLine)
        let texts = endpoints.values.flatMap { $0.split(separator: ",") }
            .map { String($0.trimmingPrefix(while: \.isWhitespace)) }.filter { !$0.isEmpty }
        var etcd: EtcdConfiguration
        do {
            etcd = try EtcdConfiguration(endpoints: texts)
        } catch {
            let reason = error.text.isEmpty ? error.reason : "'\(error.text)' \(error.reason)"
            throw ConfigurationFault(endpoints.origin, .etcdEndpoints, reason)
        }
        let certificate = try values.find(.etcdCertFile)
        let key = try values.find(.etcdKeyFile)
        if let certificate, key == nil {
            throw ConfigurationFault(certificate.origin, .etcdCertFile, "needs --etcd-keyfile")
        }
        if let key, certificate == nil {
            throw ConfigurationFault(key.origin, .etcdKeyFile, "needs --etcd-certfile")
        }
        let authority = try values.text(.etcdCAFile)
        if authority != nil || certificate != nil {
            etcd.tls = CurlTLS(
                caFile: authority, certFile: certificate?.values.first, keyFile: key?.values.first)
        }
        let user = try values.find(.etcdUsername)
        let passwordFile = try values.find(.etcdPasswordFile)
        switch (user, passwordFile) {
        case (let user?, let file?):
            etcd.user = EtcdUser(name: user.values.first ?? "", passwordFile: file.values.first ?? "")
        case (let user?, nil): throw ConfigurationFault(user.origin, .etcdUsername, "needs --etcd-password-file")
        case (nil, let file?): throw ConfigurationFault(file.origin, .etcdPasswordFile, "needs --etcd-username")
        case (nil, nil): break
        }
        return etcd
    }

    private static func prefix(_ values: OptionValues) throws(ConfigurationFault) -> String {
        guard let found = try values.find(.etcdPrefix), let text = found.values.first else {
            return "/coreos.com/network"
        }
        guard text.hasPrefix("/"), text.contains(where: { $0 != "/" }) else {
            throw ConfigurationFault(found.origin, .etcdPrefix, "'\(text)' must start with a slash and name something")
        }
        return text
    }

    private static func node(_ values: OptionValues, hostName: String) throws(ConfigurationFault) -> NodeID {
        guard let found = try values.find(.nodeName), let name = found.values.first else {
            guard !hostName.isEmpty else {
                throw ConfigurationFault(.commandLine, .nodeName, "is needed: this host has no name")
            }
            return NodeID(hostName)
        }
        guard !name.isEmpty, name.utf8.count <= 253, name.allSatisfy({ !$0.isWhitespace && !$0.isNewline }),
            name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else {
            throw ConfigurationFault(found.origin, .nodeName, "'\(name)' must be 1 to 253 characters without spaces")
        }
        return NodeID(name)
    }

    private static func underlay(_ values: OptionValues) throws(ConfigurationFault) -> UnderlaySelection {
        UnderlaySelection(
            interfaces: try values.find(.iface)?.values ?? [], patterns: try values.find(.ifaceRegex)?.values ?? [],
            canReach: try values.parsed(.ifaceCanReach) { text throws(AddressParsingError) in
                try IPAddress(parsing: text)
            },
            publicIP: try values.parsed(.publicIP) { text throws(AddressParsingError) in
                try IPv4Address(parsing: text)
            },
            publicIPv6: try values.parsed(.publicIPv6) { text throws(AddressParsingError) in
                try IPv6Address(parsing: text)
            })
    }

    private static func conflist(
        _ values: OptionValues, subnetFile: String
    ) throws(ConfigurationFault) -> CNIConflist? {
        let chainsPortmap = try values.flag(.cniPortmap)
        guard let path = try values.text(.cniConflist) else {
            if chainsPortmap, let found = try values.find(.cniPortmap) {
                throw ConfigurationFault(found.origin, .cniPortmap, "needs --cni-conflist")
            }
            return nil
        }
        // Runtimes read no other names.
        guard path.hasSuffix(".conflist"), !path.hasSuffix("/.conflist") else {
            let origin = try values.find(.cniConflist)?.origin ?? .commandLine
            throw ConfigurationFault(
                origin, .cniConflist, "'\(path)' must be a file's name ending in .conflist, such as 10-tartan.conflist")
        }
        return CNIConflist(path: path, subnetFile: subnetFile, chainsPortmap: chainsPortmap)
    }

    /// Names of interfaces are limited by IFNAMSIZ (linux/if.h) and by what `ip` takes.
    private static func device(_ values: OptionValues) throws(ConfigurationFault) -> String? {
        guard let found = try values.find(.device), let name = found.values.first else { return nil }
        guard (1...15).contains(name.utf8.count), name != ".", name != "..",
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") })
        else {
            throw ConfigurationFault(
                found.origin, .device, "'\(name)' must be 1 to 15 characters without spaces, slashes and colons")
        }
        // The VNI is not part of a name that was chosen.
        guard IPv6Address.deviceName(vni: 0, chosen: name) != name else {
            throw ConfigurationFault(
                found.origin, .device,
                "'\(name)' would be the name of the IPv6 device as well; choose a shorter one, or one without '-v6'")
        }
        return name
    }
}
