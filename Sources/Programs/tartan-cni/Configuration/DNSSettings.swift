// SPDX-License-Identifier: Apache-2.0

import JSONText

/// What the network says of name resolution; passed on to the runtime, never applied here.
struct DNSSettings: Hashable {
    var nameservers: [String] = []
    var domain: String?
    var search: [String] = []
    var options: [String] = []

    init() {}

    init(_ reader: ConfigurationReader?) throws(PluginError) {
        guard let reader else { return }
        nameservers = try reader.texts("nameservers")
        domain = try reader.text("domain")
        search = try reader.texts("search")
        options = try reader.texts("options")
    }

    /// Reads a resolv.conf (resolv.conf(5)): of several `domain` or `search` lines the last counts.
    init(resolvConf text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count > 1 else { continue }
            switch words[0] {
            case "nameserver": nameservers.append(words[1])
            case "domain": domain = words[1]
            case "search": search = Array(words[1...])
            case "options": options += words[1...]
            default: break
            }
        }
    }

    var isEmpty: Bool { self == DNSSettings() }

    var json: JSONValue {
        var object = JSONValue.object([])
        if !nameservers.isEmpty { object.set("nameservers", .array(nameservers.map(JSONValue.string))) }
        if let domain { object.set("domain", .string(domain)) }
        if !search.isEmpty { object.set("search", .array(search.map(JSONValue.string))) }
        if !options.isEmpty { object.set("options", .array(options.map(JSONValue.string))) }
        return object
    }
}
