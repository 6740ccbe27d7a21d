// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

extension RouteSocket {
    package func links() throws(NetlinkError) -> [LinkMessage] { try list(LinkMessage()) }

    package func link(named name: String) throws(NetlinkError) -> LinkMessage? { try find(LinkMessage(name: name)) }

    package func link(at index: UInt32) throws(NetlinkError) -> LinkMessage? { try find(LinkMessage(index: index)) }

    /// Makes a link and returns it as the kernel has it; EEXIST where the name is taken.
    @discardableResult
    package func addLink(_ link: LinkMessage) throws(NetlinkError) -> LinkMessage {
        try perform(.new, link, [.create, .exclusive])
        return try get(LinkMessage(name: link.name))
    }

    @discardableResult
    package func addBridge(_ name: String, isUp: Bool = true) throws(NetlinkError) -> LinkMessage {
        try addLink(LinkMessage(name: name, isUp: isUp, kind: .bridge))
    }

    /// Makes a pair of links; the peer may be in another namespace from the start.
    @discardableResult
    package func addVETH(_ name: String, peer: VETHPeer, master: UInt32? = nil) throws(NetlinkError) -> LinkMessage {
        try addLink(LinkMessage(name: name, master: master, kind: .veth(peer)))
    }

    @discardableResult
    package func addVXLAN(
        _ name: String, _ settings: VXLANSettings, mac: MACAddress? = nil, mtu: UInt32? = nil
    ) throws(NetlinkError) -> LinkMessage {
        try addLink(LinkMessage(name: name, mac: mac, mtu: mtu, kind: .vxlan(settings)))
    }

    /// Sets what the message has; ENODEV where there is no link of that index, or of that name where the index is 0.
    package func change(_ link: LinkMessage) throws(NetlinkError) { try perform(.new, link) }

    package func setUp(_ index: UInt32, _ isUp: Bool = true) throws(NetlinkError) {
        try change(LinkMessage(index: index, isUp: isUp))
    }

    /// Makes it a port of a bridge; 0 takes it out.
    package func setMaster(_ master: UInt32, of index: UInt32) throws(NetlinkError) {
        try change(LinkMessage(index: index, master: master))
    }

    package func setMTU(_ mtu: UInt32, of index: UInt32) throws(NetlinkError) {
        try change(LinkMessage(index: index, mtu: mtu))
    }

    package func setMAC(_ mac: MACAddress, of index: UInt32) throws(NetlinkError) {
        try change(LinkMessage(index: index, mac: mac))
    }

    /// Puts a link into another namespace, under another name where one is given; it arrives set down.
    package func move(
        _ index: UInt32, to namespace: borrowing NetworkNamespace, name: String? = nil
    ) throws(NetlinkError) {
        var link = LinkMessage(index: index, name: name)
        link.namespace = namespace.descriptor
        try change(link)
    }

    /// Success also where there is none.
    package func removeLink(named name: String) throws(NetlinkError) { try remove(LinkMessage(name: name)) }

    /// Success also where there is none.
    package func removeLink(at index: UInt32) throws(NetlinkError) { try remove(LinkMessage(index: index)) }
}
