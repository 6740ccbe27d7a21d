// SPDX-License-Identifier: Apache-2.0

import JSONText

/// What etcd says of a grant (its "lease"): the TTL object that keys hang on.
package struct GrantStatus: Hashable, Sendable {
    package var id: Int64 = 0
    /// Seconds left; 0 or less: it is gone.
    package var ttl: Int64 = 0
    /// Seconds it was given at first.
    package var grantedTTL: Int64 = 0
    /// The keys that hang on it, where they were asked for.
    package var keys: [[UInt8]] = []

    init(_ json: inout JSONReader) throws(JSONError) {
        var read = self
        try json.object { name, json throws(JSONError) in
            switch name {
            case "ID": read.id = try json.integer()
            case "TTL": read.ttl = try json.integer()
            case "grantedTTL": read.grantedTTL = try json.integer()
            case "keys": try json.array { json throws(JSONError) in read.keys.append(try json.base64()) }
            default: try json.skip()
            }
        }
        self = read
    }
}

extension EtcdClient {
    /// A new grant; etcd may give it a longer life than the seconds asked for.
    ///
    /// - Parameter id: the number it is to have; 0: etcd chooses. One that exists is `failedPrecondition`.
    package func grant(ttl: Int64, id: Int64 = 0) async throws(EtcdError) -> GrantStatus {
        var json = JSONWriter()
        json.object { json in
            json.member("TTL", String(ttl))
            if id != 0 { json.member("ID", String(id)) }
        }
        return try await call("/v3/lease/grant", json.bytes) { json throws(JSONError) in try GrantStatus(&json) }
    }

    /// Renews grants, many in one request: for each its new TTL in seconds, or `nil` where it is gone.
    ///
    /// A grant that etcd does not know is answered with a TTL of 0. One refusal among the answers, such as that of a
    /// member without a leader, counts for all of them.
    package func keepAlive(_ ids: [Int64]) async throws(EtcdError) -> [Int64: Int64?] {
        var renewed: [Int64: Int64?] = [:]
        var rest = ids[...]
        while let first = rest.first {
            let answers = try await keepAliveOnce(rest.prefix(Self.grantsPerRequest))
            guard !answers.isEmpty else {
                throw EtcdError(
                    .badAnswer("no answer for grant \(String(UInt64(bitPattern: first), radix: 16))"),
                    endpoint: endpoint)
            }
            renewed.merge(answers) { $1 }
            rest = rest.filter { renewed[$0] == nil }[...]
        }
        return renewed
    }

    /// The gateway answers while it still reads, and Go's HTTP/1.1 server throws away what of a body was not read when
    /// the first answer goes out: of a long one only the beginning is sure to be answered, and the rest is asked again.
    private static let grantsPerRequest = 128

    private func keepAliveOnce(_ ids: ArraySlice<Int64>) async throws(EtcdError) -> [Int64: Int64?] {
        var body: [UInt8] = []
        for id in ids {
            var json = JSONWriter()
            json.object { $0.member("ID", String(id)) }
            body += json.bytes + [UInt8(ascii: "\n")]
        }
        let answers = try await call("/v3/lease/keepalive", body, refusal: Self.refusal) { json throws(JSONError) in
            var answers: [StreamLine<GrantStatus>] = []
            while json.peek() != nil {
                answers.append(try StreamLine(&json) { json throws(JSONError) in try GrantStatus(&json) })
            }
            return answers
        }
        var renewed: [Int64: Int64?] = [:]
        for case .result(let status) in answers where ids.contains(status.id) {
            renewed[status.id] = .some(status.ttl > 0 ? status.ttl : nil)
        }
        return renewed
    }

    private static func refusal(_ answers: [StreamLine<GrantStatus>]) -> GatewayRefusal? {
        for case .error(let refusal) in answers { return refusal }
        return nil
    }

    /// Ends a grant and deletes its keys; `false` where it was gone.
    @discardableResult
    package func revoke(_ id: Int64) async throws(EtcdError) -> Bool {
        var json = JSONWriter()
        json.object { $0.member("ID", String(id)) }
        do {
            _ = try await call("/v3/lease/revoke", json.bytes) { json throws(JSONError) in try Self.header(&json) }
            return true
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
    }

    /// What is left of a grant; `nil` where it is gone.
    package func timeToLive(_ id: Int64, keys: Bool = false) async throws(EtcdError) -> GrantStatus? {
        var json = JSONWriter()
        json.object { json in
            json.member("ID", String(id))
            if keys { json.member("keys", true) }
        }
        do {
            let status = try await call("/v3/lease/timetolive", json.bytes) { json throws(JSONError) in
                try GrantStatus(&json)
            }
            return status.ttl > 0 ? status : nil
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }
}
