// SPDX-License-Identifier: Apache-2.0

/// `LeaseList` of openapi.yaml: a page of the leases as of one revision, by subnet.
package struct LeaseListDocument: Codable, Hashable, Sendable {
    /// etcd's revision that the whole list, not only this page, is the truth of.
    package var revision: String
    package var items: [LeaseDocument]
    /// What to pass as `continue` for the next page; absent on the last.
    package var `continue`: String?

    package init(revision: String, items: [LeaseDocument], continue: String? = nil) {
        self.revision = revision
        self.items = items
        self.continue = `continue`
    }
}
