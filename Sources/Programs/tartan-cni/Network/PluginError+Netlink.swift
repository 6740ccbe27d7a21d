// SPDX-License-Identifier: Apache-2.0

import Netlink

extension PluginError {
    init(_ error: NetlinkError, doing what: String) {
        let advice =
            switch error.number {
            case .notPermitted?: "; the plugin needs CAP_NET_ADMIN and CAP_SYS_ADMIN"
            case .notSupported?: "; this kernel lacks what the configuration asks for"
            default: ""
            }
        self.init(.kernel, "\(what) did not work: \(error)\(advice)")
    }
}

/// Runs what talks to the kernel; an error says what it was for.
func kernel<Value: ~Copyable>(
    _ what: @autoclosure () -> String, _ body: () throws(NetlinkError) -> Value
) throws(PluginError) -> Value {
    do { return try body() } catch { throw PluginError(error, doing: what()) }
}
