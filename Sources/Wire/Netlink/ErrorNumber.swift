// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc

/// An error number of the kernel's (errno(3)); prints as its name.
package struct ErrorNumber: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int32

    package init(_ rawValue: Int32) { self.rawValue = rawValue }

    /// What the last system call of this thread left.
    static var last: Self { Self(errno) }

    package static let notPermitted = Self(EPERM)
    package static let notFound = Self(ENOENT)
    package static let noProcess = Self(ESRCH)
    package static let interrupted = Self(EINTR)
    package static let again = Self(EAGAIN)
    package static let busy = Self(EBUSY)
    package static let exists = Self(EEXIST)
    package static let noDevice = Self(ENODEV)
    package static let invalid = Self(EINVAL)
    package static let outOfMemory = Self(ENOMEM)
    package static let noBuffers = Self(ENOBUFS)
    package static let notSupported = Self(EOPNOTSUPP)
    package static let familyNotSupported = Self(EAFNOSUPPORT)
    package static let addressNotAvailable = Self(EADDRNOTAVAIL)
    package static let networkDown = Self(ENETDOWN)
    package static let networkUnreachable = Self(ENETUNREACH)
    package static let hostUnreachable = Self(EHOSTUNREACH)

    package var description: String {
        guard let name = unsafe clinux_error_name(rawValue) else { return "error \(rawValue)" }
        return unsafe String(cString: name)
    }
}
