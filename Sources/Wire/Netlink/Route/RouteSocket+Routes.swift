// SPDX-License-Identifier: Apache-2.0

package import IPAddressing

extension RouteSocket {
    package func routes(_ filter: RouteMessage = .filter()) throws(NetlinkError) -> [RouteMessage] {
        try list(filter)
    }

    /// Makes the route; EEXIST where there is one to that destination with that priority, unless `replacing`.
    package func addRoute(_ route: RouteMessage, replacing: Bool = false) throws(NetlinkError) {
        try perform(.new, route, replacing ? [.create, .replace] : [.create, .exclusive])
    }

    /// `default via GATEWAY`.
    package func addDefaultRoute(via gateway: IPAddress, device: UInt32? = nil) throws(NetlinkError) {
        try addRoute(RouteMessage(destination: nil, prefixLength: 0, gateway: gateway, device: device))
    }

    /// Success also where there is none such.
    package func removeRoute(_ route: RouteMessage) throws(NetlinkError) { try remove(route) }

    /// The way that a packet to this address would take; ENETUNREACH where there is none.
    package func route(to address: IPAddress) throws(NetlinkError) -> RouteMessage {
        let answer = try get(RouteQuery(destination: address))
        guard let route = answer.route else {
            throw NetlinkError(operand: answer.description, cause: .malformed)
        }
        return route
    }
}
