// SPDX-License-Identifier: Apache-2.0

import Netlink
import Testing

/// Network namespaces that a test made, taken away when the test is over, however it ends.
final class TestNamespaces {
    private var names: [String] = []

    /// Whether this process may make any: why the tests of this target may be skipped.
    static let isPermitted: Bool = {
        let name = "tartan-probe-\(UInt32.random(in: 0 ... .max))"
        defer { try? NetworkNamespace.delete(name: name) }
        return (try? NetworkNamespace.create(name: name)) != nil
    }()

    static let reason: Comment = "needs CAP_NET_ADMIN and CAP_SYS_ADMIN to make network namespaces"

    func make() throws -> String {
        let name = "tartan-test-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
        try NetworkNamespace.create(name: name)
        names.append(name)
        return name
    }

    deinit {
        for name in names { try? NetworkNamespace.delete(name: name) }
    }
}
