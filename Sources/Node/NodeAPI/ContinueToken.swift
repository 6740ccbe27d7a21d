// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Leases

/// Where a list goes on: the revision it is of, the last lease that was given, and the filter that it belongs to.
///
/// Its text is nobody's business but ours: base64url of `REVISION KEY DIGEST`.
struct ContinueToken: Hashable {
    let revision: Revision
    let last: SubnetKey
    /// ``LeaseFilter/digest``: a token of one query is not of another.
    let digest: String

    init(revision: Revision, last: SubnetKey, digest: String) {
        self.revision = revision
        self.last = last
        self.digest = digest
    }

    /// `nil` where it is none of ours.
    init?(parsing text: String) {
        var base64 = text.replacing("-", with: "+").replacing("_", with: "/")
        base64 += String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: base64), let plain = String(validating: data, as: UTF8.self) else {
            return nil
        }
        let parts = plain.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, let revision = Int64(parts[0]), revision > 0,
            let last = try? SubnetKey(parsing: parts[1])
        else { return nil }
        self.init(revision: Revision(revision), last: last, digest: String(parts[2]))
    }

    var text: String {
        Data("\(revision) \(last) \(digest)".utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
