// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// GC: whatever belongs to nobody on the runtime's list goes, as by DEL: links first, then addresses.
///
/// As much as can be is done; what could not be is one error at the end.
struct GarbageCollection {
    let configuration: NetworkConfiguration

    func run() throws(PluginError) {
        guard let valid = configuration.validAttachments else {
            throw PluginError(
                .badConfiguration,
                "GC needs the list cni.dev/valid-attachments; without it nothing is taken away")
        }
        guard Disk.exists(configuration.addressFolder) else { return }
        var store = try AddressStore.open(configuration.addressFolder)
        var problems: [String] = []
        for (address, owner) in store.owners {
            guard let owner, !Self.isValid(owner, valid) else { continue }
            do throws(PluginError) {
                if let interface = owner.interface {
                    let stale = Attachment(containerID: owner.containerID, interface: interface)
                    _ = try removeLink(stale.hostLink(network: configuration.name))
                }
                try store.release(address)
            } catch {
                problems.append(error.message)
            }
        }
        do throws(PluginError) {
            let masquerade = Masquerade(configuration)
            if masquerade.isInUse { try masquerade.keep(Array(store.owners.keys)) }
        } catch {
            problems.append(error.message)
        }
        try Self.report(problems, store.damaged)
    }

    private static func isValid(_ owner: Owner, _ valid: Set<Attachment>) -> Bool {
        guard let interface = owner.interface else { return valid.contains { $0.containerID == owner.containerID } }
        return valid.contains(Attachment(containerID: owner.containerID, interface: interface))
    }

    /// A damaged file may be a running pod's: only somebody who knows can take it away.
    private static func report(_ problems: [String], _ damaged: [String]) throws(PluginError) {
        if let first = problems.first {
            throw PluginError(.inputOutput, first, details: problems.dropFirst().joined(separator: "; "))
        }
        guard !damaged.isEmpty else { return }
        throw PluginError(
            .corruptStore,
            "\(damaged.joined(separator: ", ")) does not say whose the address is; remove the file once no pod uses it")
    }
}
