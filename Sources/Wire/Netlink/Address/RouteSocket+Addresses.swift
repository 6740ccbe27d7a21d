// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

extension RouteSocket {
    /// Of one interface; 0: of all.
    package func addresses(of index: UInt32 = 0) throws(NetlinkError) -> [AddressMessage] {
        try list(AddressMessage(index: index))
    }

    /// The interface's own address and the length of its network: `10.244.1.1`, 24. Success also where it has it.
    /// - Parameter isAskedFor: whether the network is asked first if somebody else has it, which only IPv6 does.
    package func addAddress(
        _ address: IPAddress, prefixLength: UInt8, to index: UInt32, scope: AddressMessage.Scope = .global,
        isAskedFor: Bool = true
    ) throws(NetlinkError) {
        var message = AddressMessage(index: index, address: address, prefixLength: prefixLength, scope: scope)
        if !isAskedFor { message.flags = AddressMessage.withoutDetection }
        do {
            try perform(.new, message, [.create, .exclusive])
        } catch {
            guard error.isExistence else { throw error }
        }
    }

    /// Success also where it does not have it.
    package func removeAddress(
        _ address: IPAddress, prefixLength: UInt8, from index: UInt32
    ) throws(NetlinkError) {
        try remove(AddressMessage(index: index, address: address, prefixLength: prefixLength))
    }
}
