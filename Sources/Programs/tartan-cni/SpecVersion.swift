// SPDX-License-Identifier: Apache-2.0

/// A version of the CNI specification that this plugin speaks.
enum SpecVersion: String, CaseIterable, Comparable {
    case v0_3_0 = "0.3.0"
    case v0_3_1 = "0.3.1"
    case v0_4_0 = "0.4.0"
    case v1_0_0 = "1.0.0"
    case v1_1_0 = "1.1.0"

    static let newest = SpecVersion.v1_1_0

    static func < (left: SpecVersion, right: SpecVersion) -> Bool {
        guard let l = allCases.firstIndex(of: left), let r = allCases.firstIndex(of: right) else { return false }
        return l < r
    }

    /// The versions as a sentence has them.
    static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
