// SPDX-License-Identifier: Apache-2.0

/// What this process may do (capabilities(7)).
enum Privileges {
    private static let netAdmin = 12

    /// Whether CAP_NET_ADMIN is in the effective set; `nil` where the kernel does not say.
    static var hasNetAdmin: Bool? {
        guard let status = AtomicFile("/proc/self/status").contents(),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let digits = line.split(separator: "\t").last, let mask = UInt64(digits, radix: 16)
        else { return nil }
        return mask >> UInt64(netAdmin) & 1 == 1
    }
}
