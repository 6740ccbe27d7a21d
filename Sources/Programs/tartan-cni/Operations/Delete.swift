// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// DEL: the link goes, then the addresses. What is not there any more is not an error, and neither the namespace nor
/// the subnet file is needed.
struct Delete {
    let configuration: NetworkConfiguration
    let attachment: Attachment
    /// Empty where it is not known.
    let namespace: String

    func run() throws(PluginError) {
        let name = attachment.hostLink(network: configuration.name)
        // Of a pod that another plugin added the host's end has another name.
        if try !removeLink(name) { try removeInside() }
        guard Disk.exists(configuration.addressFolder) else { return }
        let addresses = try release()
        let masquerade = Masquerade(configuration)
        guard masquerade.isInUse, !addresses.isEmpty else { return }
        do throws(PluginError) {
            try masquerade.remove(addresses)
        } catch {
            // The address is free, and whoever gets it is masqueraded or not by its own ADD; GC tries again.
            Log.write(error.message)
        }
    }

    private func removeInside() throws(PluginError) {
        guard !namespace.isEmpty, Disk.exists(namespace) else { return }
        let pod = try PodNamespace.open(namespace)
        let interface = attachment.interface
        _ = try pod.inside { () throws(PluginError) in try removeLink(interface) }
    }

    private func release() throws(PluginError) -> [IPAddress] {
        var store = try AddressStore.open(configuration.addressFolder)
        return try store.release(attachment)
    }
}
