// SPDX-License-Identifier: Apache-2.0

/// The bridge and how pods hang on it: the reference bridge plugin's options under its names.
///
/// Two defaults are other than there, because here the subnet is the node's own and always has a gateway:
/// `isGateway` and `isDefaultGateway` are on.
struct BridgeOptions: Hashable {
    var name = "cni0"
    /// The bridge has the subnet's first address, and the host forwards.
    var isGateway = true
    /// It is also the pod's way to everywhere else.
    var isDefaultGateway = true
    /// An address on the bridge that is not of the cluster network gives way; otherwise it is an error.
    var forceAddress = false
    /// `nil`: if the daemon does not.
    var masquerade: Bool?
    /// `nil`: the subnet file's.
    var mtu: UInt32?
    var isHairpin = false
    var isPromiscuous = false
    /// The pods' VLAN on the bridge; 0 for none.
    var vlan: UInt16 = 0

    init() {}

    init(_ reader: ConfigurationReader) throws(PluginError) {
        name = try reader.text("bridge") ?? name
        guard Invocation.isInterfaceName(name) else { throw reader.mistaken("bridge", "is not an interface's name") }
        let gateway = try reader.bool("isGateway") ?? true
        isDefaultGateway = try reader.bool("isDefaultGateway") ?? gateway
        isGateway = gateway || isDefaultGateway
        forceAddress = try reader.bool("forceAddress") ?? false
        masquerade = try reader.bool("ipMasq")
        let length = try reader.integer("mtu", in: 0...65_535) ?? 0
        mtu = length == 0 ? nil : UInt32(length)
        isHairpin = try reader.bool("hairpinMode") ?? false
        isPromiscuous = try reader.bool("promiscMode") ?? false
        vlan = UInt16(try reader.integer("vlan", in: 0...4094) ?? 0)
        guard !isHairpin || !isPromiscuous else {
            throw reader.mistaken("hairpinMode", "and promiscMode exclude each other: turn one off")
        }
        guard vlan == 0 || "\(name).\(vlan)".utf8.count <= 15 else {
            throw reader.mistaken("bridge", "is too long a name for the VLAN's interface \(name).\(vlan)")
        }
        try reader.refuse("vlanTrunk", because: "pods get one VLAN (vlan); delegate to the bridge plugin for a trunk")
        try reader.refuse(
            "macspoofchk", because: "this plugin does not check source addresses; delegate to the bridge plugin")
        try reader.refuse("disableContainerInterface", because: "pods without a network are not supported")
    }
}
