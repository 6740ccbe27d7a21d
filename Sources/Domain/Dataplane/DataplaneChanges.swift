// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

/// What the kernel said has changed since it was last asked: by entry where that is known, so that one repair costs
/// one entry.
///
/// Of several changes of one entry only the last is here. A change that was ours may be here too, and then says what
/// is known already.
package struct DataplaneChanges<Address: BinaryAddress>: Hashable, Sendable {
    /// `nil` in each of the four: it is gone.
    package var neighbors: [Address: MACAddress?] = [:]
    package var fdb: [MACAddress: Address?] = [:]
    package var nextHops: [NextHopID: NextHop<Address>?] = [:]
    package var routes: [Prefix<Address>: Route<Address>.Path?] = [:]
    /// The VXLAN device, or its address, is not as it was prepared; its tables may be empty.
    package var isDeviceChanged = false
    /// The underlay's link or address is not as it was; the kernel drops routes with either and tells nobody.
    package var isUnderlayChanged = false
    /// Addresses of the host came or went.
    package var areAddressesChanged = false
    /// Notifications were lost: only a look at everything makes the picture true again.
    package var isEverythingStale = false

    package init() {}

    package var isEmpty: Bool { self == Self() }
}
