// SPDX-License-Identifier: Apache-2.0

package import IPAddressing
package import Leases

/// Why a lease is not programmed.
package enum PeerFault<Address: DataplaneAddress>: Error, Hashable, Sendable, CustomStringConvertible {
    /// This node carries no traffic at all.
    case notCarried
    /// It is this node's own.
    case own
    /// It reaches into this node's own subnet, which is never routed away.
    case overlapsOwnSubnet(Prefix<Address>)
    case sharesPublicIP(Address)
    /// Its subnet has an address of this host, which would be routed away.
    case coversLocalAddress(Address)
    /// An older lease says otherwise.
    case contradicts(SubnetKey, PeerContradiction<Address>)
    /// It is of the other family alone.
    case otherFamily
    case missingPublicIP
    case backend(String, wanted: String)
    case missingVTEP
    case vni(UInt32, wanted: UInt32)
    case badMAC(MACAddress)
    case sharesMAC(MACAddress)
    case badPublicIP(Address)
    /// A plain route needs its gateway one hop away.
    case notOnLink(Address)

    /// Whether an operator should hear of it.
    package var isWorthReporting: Bool {
        switch self {
        case .own, .notCarried, .otherFamily: false
        // A node that says so itself carries no traffic: started with --dataplane none, or leased for by another.
        case .backend("alloc", wanted: _): false
        default: true
        }
    }

    /// Whether that is how the lease of a node that is not there yet looks: it says nothing of where.
    package var isOfAbsentNode: Bool {
        switch self {
        case .missingVTEP, .missingPublicIP: true
        case .badPublicIP(let address): (address as? IPv4Address) == .any
        default: false
        }
    }

    package var description: String {
        switch self {
        case .notCarried: "this node carries no traffic"
        case .own: "it is this node's own"
        case .overlapsOwnSubnet(let own): "it overlaps this node's own subnet \(own)"
        case .sharesPublicIP(let address): "its public address \(address) is this node's"
        case .coversLocalAddress(let address): "its subnet holds \(address), which is an address of this host"
        case .contradicts(let winner, .subnet): "its subnet overlaps \(winner), whose lease is older"
        case .contradicts(let winner, let matter): "\(matter) that of \(winner), whose lease is older"
        case .backend(let type, let wanted): "its backend is '\(type)', this network's is '\(wanted)'"
        case .otherFamily: "it has no \(Address.familyName) subnet"
        case .missingPublicIP: "it has no public \(Address.familyName) address"
        case .missingVTEP: "its \(Address.backendDataName) has no VNI and VtepMAC"
        case .vni(let vni, let wanted): "its VNI is \(vni), this network's is \(wanted)"
        case .badMAC(let mac): "its VTEP MAC \(mac) is not that of one interface"
        case .sharesMAC(let mac): "its VTEP MAC \(mac) is this node's"
        case .notOnLink(let address):
            "its public address \(address) is on no network of this node's underlay, as host-gw needs"
        case .badPublicIP(let address): "its public address \(address) is not that of one host"
        }
    }
}
