// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import JSONText
import Synchronization

/// The token that etcd gave for name and password, until it is no longer taken.
///
/// The password is read from its file for each login, so that one that changed is used without a restart.
final class Authentication: Sendable {
    let user: EtcdUser
    private let standing = Mutex(Standing.unknown)

    private enum Standing: Equatable {
        case unknown
        /// etcd has authentication turned off.
        case notAsked
        case token(String)

        init(_ token: String?) { self = token.map(Standing.token) ?? .notAsked }
    }

    init(user: EtcdUser) { self.user = user }

    /// Whether a request can be sent without a login before it.
    var isSettled: Bool { standing.withLock { $0 != .unknown } }

    var token: String? {
        standing.withLock { standing in
            guard case .token(let token) = standing else { return nil }
            return token
        }
    }

    /// - Parameter token: `nil`: none is asked for.
    func accept(_ token: String?) { standing.withLock { $0 = Standing(token) } }

    /// Forgets a token (or that none was needed) that etcd refused, unless another took its place already.
    func forget(_ token: String?) {
        standing.withLock { if $0 == Standing(token) { $0 = .unknown } }
    }

    /// The body of a login.
    func login(endpoint: String) throws(EtcdError) -> [UInt8] {
        let password: String
        do {
            password = try String(contentsOfFile: user.passwordFile, encoding: .utf8)
        } catch {
            throw EtcdError(
                .credentials("the password file \(user.passwordFile) can't be read; check --etcd-password-file"),
                endpoint: endpoint)
        }
        let line = password.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).first ?? ""
        var json = JSONWriter()
        json.object { json in
            json.member("name", user.name)
            json.member("password", String(line))
        }
        return json.bytes
    }

    static func token(in json: inout JSONReader) throws(JSONError) -> String? {
        var token: String?
        try json.object { name, json throws(JSONError) in
            if name == "token" { token = try json.string() } else { try json.skip() }
        }
        return token
    }
}
