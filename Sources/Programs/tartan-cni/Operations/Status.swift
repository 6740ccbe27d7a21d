// SPDX-License-Identifier: Apache-2.0

/// STATUS: whether an ADD would work now, as far as that depends on the node.
struct Status {
    let configuration: NetworkConfiguration

    func run() throws(PluginError) {
        let subnet: NodeSubnet
        do throws(PluginError) {
            subnet = try NodeSubnet(configuration.subnetFile)
        } catch {
            throw PluginError(.unavailable, error.message, details: error.details)
        }
        try subnet.checkHeld()
        if configuration.delegate != nil { return }
        do throws(PluginError) {
            try Disk.makeFolder(configuration.addressFolder, mode: 0o755)
        } catch {
            throw PluginError(.unavailable, error.message, details: error.details)
        }
    }
}
