// SPDX-License-Identifier: Apache-2.0

/// The program's version (semver.org), the same as the daemon's.
enum Version {
    static let text = "0.1.0"
}
