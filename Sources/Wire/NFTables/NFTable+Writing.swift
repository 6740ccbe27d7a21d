// SPDX-License-Identifier: Apache-2.0

// The one place where values become the words of libnftables-json(5).

/// One command of a transaction.
package struct NFCommand: Hashable, Sendable {
    let json: JSONValue

    private init(_ verb: String, _ kind: String, _ object: JSONValue) {
        json = [verb: [kind: object]]
    }

    static func list(table id: NFTable.ID) -> Self { Self("list", "table", .object(id.members)) }
    static var listChains: Self { Self("list", "chains", .null) }

    /// A new table in place of one that may be there. Only deleting it takes away the chains, sets and flags that
    /// others put into it.
    package static func replacing(_ table: NFTable) -> [Self] {
        var commands = removing(table.id)
        commands.append(Self("add", "table", table.json))
        for chain in table.chains {
            commands.append(Self("add", "chain", chain.json(in: table.id)))
            for rule in chain.rules { commands.append(Self("add", "rule", rule.json(in: table.id, chain.name))) }
        }
        return commands
    }

    /// There must be one to delete, so one is added first.
    package static func removing(_ id: NFTable.ID) -> [Self] {
        [Self("add", "table", .object(id.members)), Self("delete", "table", .object(id.members))]
    }

    package static func text(of commands: [Self]) -> String {
        let schema: JSONValue = ["metainfo": ["json_schema_version": .number(1)]]
        let document: JSONValue = ["nftables": .array([schema] + commands.map(\.json))]
        return document.description
    }
}

extension NFTable.ID {
    fileprivate var members: [JSONValue.Member] {
        [.init("family", .string(family.rawValue)), .init("name", .string(name))]
    }

    /// What the things inside a table say of it.
    fileprivate var owner: [JSONValue.Member] {
        [.init("family", .string(family.rawValue)), .init("table", .string(name))]
    }
}

extension NFTable {
    fileprivate var json: JSONValue {
        .object(id.members + (flags.isEmpty ? [] : [.init("flags", .array(flags.map(JSONValue.string)))]))
    }
}

extension NFChain {
    fileprivate func json(in table: NFTable.ID) -> JSONValue {
        var members = table.owner + [.init("name", .string(name))]
        if let base {
            members += [
                .init("type", .string(base.type)), .init("hook", .string(base.hook)),
                .init("prio", .number(base.priority)), .init("policy", .string(base.policy.rawValue)),
            ]
        }
        return .object(members)
    }
}

extension NFRule {
    fileprivate func json(in table: NFTable.ID, _ chain: String) -> JSONValue {
        var members = table.owner + [.init("chain", .string(chain))]
        if let comment { members.append(.init("comment", .string(comment))) }
        members.append(.init("expr", .array(statements.map(\.json))))
        return .object(members)
    }
}

extension NFStatement {
    var json: JSONValue {
        switch self {
        case .source(let comparison, let prefix): Self.match(comparison, prefix.field("saddr"), prefix.json)
        case .destination(let comparison, let prefix): Self.match(comparison, prefix.field("daddr"), prefix.json)
        case .mark(let mask, let comparison, let value):
            Self.match(comparison, ["&": [Self.mark, .number(mask)]], .number(value))
        case .return: ["return": .null]
        case .masquerade(let flags):
            ["masquerade": flags.isEmpty ? .null : ["flags": .array(flags.map(JSONValue.string))]]
        case .other(let json): json
        }
    }

    static var mark: JSONValue { ["meta": ["key": "mark"]] }

    private static func match(_ comparison: Comparison, _ left: JSONValue, _ right: JSONValue) -> JSONValue {
        ["match": ["op": .string(comparison.rawValue), "left": left, "right": right]]
    }
}

extension NFPrefix {
    fileprivate func field(_ name: String) -> JSONValue {
        ["payload": ["protocol": .string(family.rawValue), "field": .string(name)]]
    }

    fileprivate var json: JSONValue {
        guard length < family.width else { return .string(address) }
        return ["prefix": ["addr": .string(address), "len": .number(length)]]
    }
}
