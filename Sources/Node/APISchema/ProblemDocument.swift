// SPDX-License-Identifier: Apache-2.0

/// `Problem` of openapi.yaml: an error as RFC 9457 has it (`application/problem+json`).
package struct ProblemDocument: Codable, Error, Hashable, Sendable {
    /// Names the kind of error; `about:blank` where the status says it all.
    package var type: String
    /// The kind in words, the same for each of the kind.
    package var title: String
    /// The response's status code.
    package var status: Int
    /// One sentence: what was wrong here, and what to do.
    package var detail: String
    /// The request's id, as in the daemon's log.
    package var instance: String?
    /// The query parameter or field at fault.
    package var parameter: String?

    package init(
        type: String = "about:blank", title: String, status: Int, detail: String, instance: String? = nil,
        parameter: String? = nil
    ) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.instance = instance
        self.parameter = parameter
    }
}
