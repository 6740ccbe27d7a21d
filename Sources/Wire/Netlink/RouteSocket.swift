// SPDX-License-Identifier: Apache-2.0

/// The door to one network namespace's links, addresses, routes, next hops and neighbours.
///
/// An actor with a queue of its own: requests are done in the order of their calls, and callers wait without holding
/// a thread. Which namespace: the calling thread's at the time of `init`, or the one that is given; it stays that one.
package actor RouteSocket {
    private let executor = QueueExecutor(label: "tartan.netlink")
    private var connection: RouteConnection
    /// What notifications of its changes bear.
    nonisolated let portID: UInt32

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    package init() throws(NetlinkError) {
        connection = try RouteConnection()
        portID = connection.portID
    }

    package init(in namespace: borrowing NetworkNamespace) throws(NetlinkError) {
        connection = try namespace.connect()
        portID = connection.portID
    }

    /// How often the kernel was handed messages: what tests count.
    package var sendCount: Int { connection.sendCount }

    /// Makes requests of every item and sends them, many at once; returns those that failed, in order. No item keeps
    /// another from being done.
    package func apply<Item: Sendable>(
        _ items: [Item], _ encode: @Sendable (Item, inout NetlinkBatch) -> Void
    ) -> [BatchFailure] {
        connection.apply(items, encode)
    }

    package func perform<Object: NetlinkObject>(
        _ verb: MessageType.Verb, _ object: Object, _ flags: MessageFlags = []
    ) throws(NetlinkError) {
        try connection.perform(verb, object, flags)
    }

    package func get<Object: NetlinkObject>(_ object: Object) throws(NetlinkError) -> Object {
        try connection.get(object)
    }

    /// Everything like the filter, as of one moment.
    package func list<Object: NetlinkObject>(_ filter: Object) throws(NetlinkError) -> [Object] {
        try connection.dump(filter)
    }

    /// The same, each object given to the body as it is read; the result so far is dropped where the table changed
    /// meanwhile and is read again.
    package func list<Object: NetlinkObject, Result: Sendable>(
        _ filter: Object, into initial: Result, _ body: @Sendable (inout Result, Object) -> Void
    ) throws(NetlinkError) -> Result {
        try connection.dump(filter, into: initial, body)
    }

    /// What is to be gone: success also where it was not there.
    func remove<Object: NetlinkObject>(_ object: Object) throws(NetlinkError) {
        do {
            try connection.perform(.delete, object)
        } catch {
            guard error.isAbsence else { throw error }
        }
    }

    /// The object, or `nil` where the kernel has none such.
    func find<Object: NetlinkObject>(_ object: Object) throws(NetlinkError) -> Object? {
        do {
            return try connection.get(object)
        } catch {
            guard error.isAbsence else { throw error }
            return nil
        }
    }
}

extension NetlinkError {
    /// The kernel says that there is no such thing: links ENODEV, routes ESRCH, neighbours, FDB entries and next hops
    /// ENOENT, addresses EADDRNOTAVAIL.
    package var isAbsence: Bool {
        guard case .refused(let number, _) = cause else { return false }
        return [.noDevice, .noProcess, .notFound, .addressNotAvailable].contains(number)
    }

    /// The kernel says that there is one already.
    package var isExistence: Bool {
        guard case .refused(.exists, _) = cause else { return false }
        return true
    }
}
