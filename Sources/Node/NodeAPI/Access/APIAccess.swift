// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Logging
import NIOSSL
import Synchronization

/// How the endpoint's clients are protected and known: read from files, and again when those change.
///
/// Connections that are open go on with what they began with; a new one, and with tokens the next request, gets what
/// was read last. What can't be used is said, and what was in use stays.
package final class APIAccess: Sendable {
    package let files: AccessFiles
    private let material: Mutex<TLSMaterial?>
    private let tokens: Mutex<BearerTokens?>
    private let schedules: Mutex<Schedules>

    private struct Schedules {
        var tls: ReloadSchedule<[FileMark?]>
        var tokens: ReloadSchedule<[FileMark?]>
    }

    /// Nobody need prove anything, and nothing is encrypted.
    package convenience init() { self.init(files: AccessFiles(), material: nil, tokens: nil, marks: ([], [])) }

    /// Reads the files. Throws the first fault.
    package convenience init(_ files: AccessFiles) throws(AccessError) {
        let marks = (Self.tlsMarks(files), Self.tokenMarks(files))
        self.init(
            files: files, material: try Self.material(files), tokens: try Self.readTokens(files), marks: marks)
    }

    private init(
        files: AccessFiles, material: TLSMaterial?, tokens: BearerTokens?, marks: ([FileMark?], [FileMark?])
    ) {
        self.files = files
        self.material = Mutex(material)
        self.tokens = Mutex(tokens)
        schedules = Mutex(Schedules(tls: ReloadSchedule(loaded: marks.0), tokens: ReloadSchedule(loaded: marks.1)))
    }

    /// For the next connection.
    var context: NIOSSLContext? { material.withLock { $0?.context } }

    /// Whether a request shows one of the tokens in force.
    func admits(authorization header: String?) -> Bool {
        guard let header else { return false }
        return tokens.withLock(\.self)?.admit(header) ?? false
    }

    /// What is dangerous about the files as they are, sentences.
    package var warnings: [String] {
        var found = [files.tokens.map { AccessFile(option: .tokens, path: $0) }?.exposure]
        found.append(files.key.map { AccessFile(option: .key, path: $0) }?.exposure)
        if let expires = material.withLock({ $0?.expires }), expires < .now {
            found.append("the certificate in \(files.certificate ?? "") expired at \(expires.formatted(.iso8601))")
        }
        return found.compactMap(\.self)
    }

    /// Looks at the files again and again until it is cancelled.
    func watch(every interval: Duration, logger: Logger) async {
        guard files.hasTLS || files.tokens != nil else { return }
        while (try? await Task.sleep(for: interval)) != nil { look(logger) }
    }

    /// One look; reads what has changed and settled.
    func look(_ logger: Logger) {
        let tlsMarks = Self.tlsMarks(files)
        if schedules.withLock({ $0.tls.isDue(tlsMarks) }) {
            take(\.tls, tlsMarks, "certificate", logger) { () throws(AccessError) in
                let new = try Self.material(files)
                material.withLock { $0 = new }
            }
        }
        let tokenMarks = Self.tokenMarks(files)
        if schedules.withLock({ $0.tokens.isDue(tokenMarks) }) {
            take(\.tokens, tokenMarks, "tokens", logger) { () throws(AccessError) in
                let new = try Self.readTokens(files)
                tokens.withLock { $0 = new }
            }
        }
    }

    private func take(
        _ schedule: WritableKeyPath<Schedules, ReloadSchedule<[FileMark?]>>, _ mark: [FileMark?],
        _ what: String, _ logger: Logger, _ read: () throws(AccessError) -> Void
    ) {
        do throws(AccessError) {
            try read()
            schedules.withLock { $0[keyPath: schedule].succeeded(mark) }
            logger.notice("the REST endpoint's \(what) changed, and the new ones are in use")
            for warning in warnings { logger.warning("\(warning)") }
        } catch {
            schedules.withLock { $0[keyPath: schedule].failed(mark) }
            logger.error(
                "the REST endpoint's \(what) changed and can't be used; those in use stay in use",
                metadata: ["error": "\(error)"])
        }
    }

    private static func tlsMarks(_ files: AccessFiles) -> [FileMark?] {
        [files.certificate, files.key, files.clientAuthorities].map { $0.flatMap { FileMark($0) } }
    }

    private static func tokenMarks(_ files: AccessFiles) -> [FileMark?] { [files.tokens.flatMap { FileMark($0) }] }

    private static func material(_ files: AccessFiles) throws(AccessError) -> TLSMaterial? {
        guard let certificate = files.certificate, let key = files.key else { return nil }
        return try TLSMaterial(
            certificate: AccessFile(option: .certificate, path: certificate), key: AccessFile(option: .key, path: key),
            clientAuthorities: files.clientAuthorities.map { AccessFile(option: .clientAuthorities, path: $0) })
    }

    private static func readTokens(_ files: AccessFiles) throws(AccessError) -> BearerTokens? {
        guard let file = files.tokens.map({ AccessFile(option: .tokens, path: $0) }) else { return nil }
        let contents = try file.contents()
        do throws(BearerTokens.Fault) {
            return try BearerTokens(parsing: contents)
        } catch {
            throw file.fault(error.reason)
        }
    }
}
