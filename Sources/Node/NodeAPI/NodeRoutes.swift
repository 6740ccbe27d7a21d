// SPDX-License-Identifier: Apache-2.0

import APISchema
import Hummingbird
import IPAddressing
import Leases
import NodeAgent

/// `/v1/node`, `/v1/network`, `/v1/dataplane` and `/v1/lookup`: how things look from this node.
struct NodeRoutes: Sendable {
    let status: NodeStatus
    let catalog: LeaseCatalog
    let version: String

    var endpoints: [Endpoint] {
        [
            .get("/v1/node", node), .get("/v1/network", network), .get("/v1/dataplane", dataplane),
            .get("/v1/lookup", lookup),
        ]
    }

    private static func check(_ request: Request, allowing names: Set<String> = []) throws(APIProblem)
        -> QueryParameters
    {
        let query = try QueryParameters(request.uri.query, allowing: names)
        try AcceptHeader(request).require("application/json")
        return query
    }

    private func node(_ request: Request, _ context: APIRequestContext) throws -> Response {
        _ = try Self.check(request)
        let now = status.clock.now
        return JSONBody.response(status.read { NodeDocument($0, version: version, at: now) })
    }

    private func network(_ request: Request, _ context: APIRequestContext) throws -> Response {
        _ = try Self.check(request)
        let index = try catalog.current()
        return JSONBody.response(
            status.read {
                NetworkDocument(
                    $0.config, index: index, unreadable: $0.leases.unreadable.values.compactMap(\.key),
                    configKey: status.configKey, problem: $0.configProblem)
            })
    }

    private func dataplane(_ request: Request, _ context: APIRequestContext) throws -> Response {
        let query = try Self.check(request, allowing: ["peers", "node", "contains"])
        let choice = try DataplanePeers.Choice(query)
        let filter = try LeaseFilter(query)
        let now = status.clock.now
        // Before the first snapshot there are no peers, but there may be a problem to be told.
        let index = choice == .none ? nil : try? catalog.current()
        var (document, peers) = status.read { (DataplaneDocument($0, at: now), DataplanePeers($0)) }
        // Outside of the lock: with 65,000 of them this takes a while.
        document.peers = peers.documents(of: index?.leases ?? [], choice, filter)
        return JSONBody.response(document)
    }

    private func lookup(_ request: Request, _ context: APIRequestContext) throws -> Response {
        let query = try Self.check(request, allowing: ["ip"])
        let address = try query.value("ip") { text throws(AddressParsingError) in try IPAddress(parsing: text) }
        guard let address else {
            throw APIProblem.badParameter("ip", "the parameter 'ip' is missing; say whose address is looked for")
        }
        let lease = try catalog.current().lease(containing: address)
        return JSONBody.response(status.read { LookupDocument(address, lease: lease, $0) })
    }
}
