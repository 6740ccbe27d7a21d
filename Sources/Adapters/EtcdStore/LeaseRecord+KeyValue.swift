// SPDX-License-Identifier: Apache-2.0

package import Etcd
package import Leases

extension LeaseRecord {
    /// What a key of etcd says as a lease. One that can't be read is a record too.
    ///
    /// - Parameter name: the last element of the key.
    package init(name: ArraySlice<UInt8>, _ keyValue: KeyValue) {
        let revision = Revision(keyValue.modRevision)
        guard let key = Self.key(name) else {
            self = .unreadable(
                UnreadableLease(
                    name: String(decoding: name, as: UTF8.self), key: nil,
                    reason: "its name should be a subnet such as 10.244.20.0-24", modRevision: revision))
            return
        }
        do {
            self = .lease(
                Lease(
                    key: key, announcement: try LeaseAnnouncement(json: keyValue.value),
                    kind: keyValue.lease == 0 ? .reservation : .lease(GrantID(keyValue.lease)),
                    createRevision: Revision(keyValue.createRevision), modRevision: revision))
        } catch {
            self = .unreadable(
                UnreadableLease(
                    name: String(decoding: name, as: UTF8.self), key: key, reason: error.reason,
                    modRevision: revision))
        }
    }

    private static func key(_ name: ArraySlice<UInt8>) -> SubnetKey? {
        SubnetKey(ipv4Text: name) ?? (try? SubnetKey(parsing: String(decoding: name, as: UTF8.self)))
    }
}
