// SPDX-License-Identifier: Apache-2.0

import IPAddressing

/// Whose each address of a network is: a file an address, in the reference host-local plugin's layout, so that a node
/// can change plugins and keep its pods.
///
///     NETWORK/10.244.1.7            the container's ID, CR, LF, its interface
///     NETWORK/last_reserved_ip.0    the address given last, a file a family
///     NETWORK/lock                  held (flock(2)) while the folder is read or changed
///
/// Invariant: an address's file appears whole or not at all, so that a process that is killed at any moment, or a full
/// disk, leaves no address without an owner. A file that says no owner was damaged by somebody else: its address counts
/// as taken, and ``damaged`` tells.
///
/// A value of this type holds the lock until it is gone.
struct AddressStore: ~Copyable {
    private let folder: String
    private let lock: FileLock
    /// Who has what; damaged files have no owner.
    private(set) var owners: [IPAddress: Owner?]

    private init(folder: String, lock: consuming FileLock, owners: [IPAddress: Owner?]) {
        self.folder = folder
        self.lock = lock
        self.owners = owners
    }

    /// Locks and reads the folder, and makes it where it is missing.
    static func open(_ folder: String) throws(PluginError) -> AddressStore {
        try Disk.makeFolder(folder, mode: 0o755)
        let lock = try FileLock("\(folder)/lock")
        var owners: [IPAddress: Owner?] = [:]
        for name in try Disk.names(in: folder) {
            guard let address = try? IPAddress(parsing: name) else { continue }
            let text = try Disk.read("\(folder)/\(name)").map { String(decoding: $0, as: UTF8.self) }
            if let text { owners[address] = .some(Owner(parsing: text)) }
        }
        return AddressStore(folder: folder, lock: lock, owners: owners)
    }

    /// The files that do not say whose their address is.
    var damaged: [String] {
        owners.filter { $0.value == nil }.keys.sorted().map { "\(folder)/\($0)" }
    }

    func addresses(of attachment: Attachment) -> [IPAddress] {
        owners.filter { $0.value?.owns(for: attachment) ?? false }.keys.sorted()
    }

    /// Gives the attachment an address of every pool, those that it asks for where it does, or none of any.
    mutating func reserve(
        for attachment: Attachment, from pools: [AddressPool], requested: [IPAddress]
    ) throws(PluginError) -> [IPAddress] {
        let held = addresses(of: attachment)
        if let address = held.first(where: { address in pools.contains { $0.contains(address) } }) {
            throw PluginError(
                .alreadyAdded,
                "\(attachment.interface) of container \(attachment.containerID) has \(address) already; delete it first"
            )
        }
        if let stray = requested.first(where: { address in !pools.contains { $0.contains(address) } }) {
            throw PluginError(
                .addressTaken,
                "address \(stray) can't be given: the node's subnet is \(pools.map(\.subnet).joined(separator: ", ")), "
                    + "without its first two addresses and the last")
        }
        var reserved: [IPAddress] = []
        do throws(PluginError) {
            for (index, pool) in pools.enumerated() {
                let wish = requested.first { pool.contains($0) }
                reserved.append(try reserve(for: attachment, from: pool, index, wish))
            }
        } catch {
            for address in reserved { try? release(address) }
            throw error
        }
        return reserved
    }

    private mutating func reserve(
        for attachment: Attachment, from pool: AddressPool, _ index: Int, _ wish: IPAddress?
    ) throws(PluginError) -> IPAddress {
        let mark = "\(folder)/last_reserved_ip.\(index)"
        if let wish, let owner = owners[wish] {
            let holder = owner.map { "container \($0.containerID)" } ?? "somebody that its damaged file does not name"
            throw PluginError(.addressTaken, "address \(wish) belongs to \(holder)")
        }
        let last = try? Disk.read(mark).flatMap { try? IPAddress(parsing: String(decoding: $0, as: UTF8.self)) }
        guard let address = wish ?? pool.next(after: last, taken: Set(owners.keys)) else {
            throw PluginError(
                .exhausted,
                "no address of \(pool.subnet) is free; delete pods, or take stale files out of \(folder)",
                details: damaged.isEmpty ? "" : "damaged: \(damaged.joined(separator: ", "))")
        }
        // First: where the second fails, an address was passed over, and none is lost.
        try replace(mark, with: address.description)
        let owner = Owner(attachment)
        try replace("\(folder)/\(address)", with: owner.text)
        owners[address] = .some(owner)
        return address
    }

    /// Takes back what the attachment has; returns what that was.
    @discardableResult
    mutating func release(_ attachment: Attachment) throws(PluginError) -> [IPAddress] {
        let held = addresses(of: attachment)
        for address in held { try release(address) }
        return held
    }

    mutating func release(_ address: IPAddress) throws(PluginError) {
        try Disk.remove("\(folder)/\(address)")
        owners[address] = nil
    }

    /// Nobody else writes while the lock is held, so that one name is enough, and a killed process's is used again.
    private func replace(_ path: String, with text: String) throws(PluginError) {
        try Disk.replace(path, with: Array(text.utf8), by: "\(folder)/.new", mode: 0o644)
    }
}
