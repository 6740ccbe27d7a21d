// SPDX-License-Identifier: Apache-2.0

extension NFTable {
    /// What `list` printed: tables, then chains, then rules, one object each.
    package static func tables(inListing text: String) throws(NFTablesError) -> [NFTable] {
        var listing = Listing()
        let json: JSONValue
        do {
            json = try JSONValue(parsing: text)
        } catch {
            throw NFTablesError(operand: "list", cause: .malformed("\(error)"))
        }
        guard let objects = json["nftables"]?.elements else {
            throw NFTablesError(operand: "list", cause: .malformed("it has no member 'nftables'"))
        }
        for object in objects { listing.take(object) }
        return listing.tables
    }

    private struct Listing {
        var tables: [NFTable] = []
        private var places: [ID: Int] = [:]

        /// Families that this library does not know are not this program's either.
        mutating func take(_ object: JSONValue) {
            guard case .object(let members) = object, let kind = members.first?.name, let value = members.first?.value,
                let family = value["family"]?.string.flatMap(Family.init(rawValue:)),
                let name = value[kind == "table" ? "name" : "table"]?.string
            else { return }
            let place = place(of: ID(family, name))
            switch kind {
            case "table": tables[place].flags = value["flags"]?.strings ?? []
            case "chain": tables[place].chains.append(NFChain(value))
            case "rule":
                let chain = value["chain"]?.string
                if let index = tables[place].chains.firstIndex(where: { $0.name == chain }) {
                    tables[place].chains[index].rules.append(NFRule(value))
                }
            default: tables[place].others.append(object)
            }
        }

        /// A list of chains alone has no tables.
        private mutating func place(of id: ID) -> Int {
            if let place = places[id] { return place }
            places[id] = tables.count
            tables.append(NFTable(id))
            return tables.count - 1
        }
    }
}

extension NFChain {
    fileprivate init(_ json: JSONValue) {
        self.init(json["name"]?.string ?? "")
        guard let type = json["type"]?.string, let hook = json["hook"]?.string else { return }
        base = Base(
            type: type, hook: hook, priority: json["prio"]?.integer ?? 0,
            policy: json["policy"]?.string.flatMap(Policy.init(rawValue:)) ?? .accept)
    }
}

extension NFRule {
    fileprivate init(_ json: JSONValue) {
        self.init(
            statements: (json["expr"]?.elements ?? []).map(NFStatement.init), comment: json["comment"]?.string)
    }
}

extension NFStatement {
    init(_ json: JSONValue) {
        self = Self.known(json) ?? .other(json)
    }

    private static func known(_ json: JSONValue) -> NFStatement? {
        guard json.memberCount == 1 else { return nil }
        if json["return"] == .null { return .return }
        if let match = json["match"] { return Self.match(match) }
        guard let masquerade = json["masquerade"] else { return nil }
        if masquerade == .null { return .masquerade(flags: []) }
        // With ports to choose from it is another statement.
        guard masquerade.memberCount == 1, let flags = masquerade["flags"] else { return nil }
        return .masquerade(flags: flags.strings)
    }

    private static func match(_ json: JSONValue) -> NFStatement? {
        guard let comparison = json["op"]?.string.flatMap(Comparison.init(rawValue:)), let left = json["left"],
            let right = json["right"]
        else { return nil }
        if let payload = left["payload"],
            let family = payload["protocol"]?.string.flatMap(NFPrefix.Family.init(rawValue:)),
            let prefix = NFPrefix(family, right)
        {
            switch payload["field"]?.string {
            case "saddr": return .source(comparison, prefix)
            case "daddr": return .destination(comparison, prefix)
            default: return nil
            }
        }
        if let operands = left["&"]?.elements, operands.count == 2, operands[0] == mark,
            let mask = operands[1].integer.flatMap(UInt32.init(exactly:)),
            let value = right.integer.flatMap(UInt32.init(exactly:))
        {
            return .mark(mask: mask, comparison, value)
        }
        return nil
    }
}

extension NFPrefix {
    /// One address is printed without a length.
    fileprivate init?(_ family: Family, _ json: JSONValue) {
        if let address = json.string {
            self.init(family, address, family.width)
        } else if let prefix = json["prefix"], let address = prefix["addr"]?.string, let length = prefix["len"]?.integer
        {
            self.init(family, address, length)
        } else {
            return nil
        }
    }
}
