// SPDX-License-Identifier: Apache-2.0

/// Why the REST endpoint can't listen where it should.
package enum ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    case portInUse(ListenAddress)
    /// Another server answers on the socket.
    case socketInUse(path: String)
    /// With the system's reason.
    case cannotBind(ListenAddress, reason: String)

    package var description: String {
        switch self {
        case .portInUse(let address):
            "the REST endpoint can't listen on \(address): the port is in use; stop what has it or choose another with "
                + "--api-listen"
        case .socketInUse(let path):
            "the REST endpoint can't listen on unix:\(path): another server answers there; stop it or choose another "
                + "socket with --api-listen"
        case .cannotBind(let address, let reason):
            "the REST endpoint can't listen on \(address): \(reason); choose another address with --api-listen"
        }
    }
}
