// SPDX-License-Identifier: Apache-2.0

package import Etcd
package import Leases

extension LeaseRecord {
    /// What a key of etcd says as a lease. One that can't be read is a record too.
    package init(name: String, _ keyValue: KeyValue) {
        let revision = Revision(keyValue.modRevision)
        let key: SubnetKey
        do {
            key = try SubnetKey(parsing: name)
        } catch {
            self = .unreadable(
                UnreadableLease(
                    name: name, key: nil, reason: "its name should be a subnet such as 10.244.20.0-24",
                    modRevision: revision))
            return
        }
        do {
            self = .lease(
                Lease(
                    key: key, announcement: try LeaseAnnouncement(json: keyValue.value),
                    kind: keyValue.lease == 0 ? .reservation : .lease(GrantID(keyValue.lease)),
                    createRevision: Revision(keyValue.createRevision), modRevision: revision))
        } catch {
            self = .unreadable(UnreadableLease(name: name, key: key, reason: error.reason, modRevision: revision))
        }
    }
}
