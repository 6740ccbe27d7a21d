// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// The `KEY=VALUE` pairs of `CNI_ARGS`, of which this plugin knows `IP` and `MAC`.
///
/// As with the reference plugins another key is an error unless `IgnoreUnknown=1` stands among them; what Kubernetes
/// says of the pod (`K8S_…`) is always welcome.
struct ExtraArguments: Hashable {
    var address: IPAddress?
    var mac: MACAddress?

    init(parsing text: String) throws(PluginError) {
        var unknown: [Substring] = []
        var ignoresUnknown = false
        for pair in text.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw PluginError(.badEnvironment, "CNI_ARGS: '\(pair)' is not KEY=VALUE")
            }
            let value = parts[1]
            do {
                switch parts[0] {
                case "IP": address = value.isEmpty ? nil : try IPAddress(parsing: value)
                case "MAC": mac = value.isEmpty ? nil : try MACAddress(parsing: value)
                case "IgnoreUnknown": ignoresUnknown = value == "1" || value.lowercased() == "true"
                case let key: if !key.hasPrefix("K8S_") { unknown.append(key) }
                }
            } catch {
                throw PluginError(.badEnvironment, "CNI_ARGS: \(error)")
            }
        }
        guard ignoresUnknown || unknown.isEmpty else {
            throw PluginError(
                .badEnvironment,
                "CNI_ARGS has \(unknown.joined(separator: ", ")), which this plugin does not know; add IgnoreUnknown=1")
        }
    }
}
