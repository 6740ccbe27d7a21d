// SPDX-License-Identifier: Apache-2.0

import CLinux
import Dispatch

/// Tells when somebody, this program included, changed something of nftables tables of one name.
///
/// What has changed is not told: whoever listens looks at the table. Where notifications were lost there is an element
/// too, because nobody knows what was in them.
package final class NFTablesMonitor: Sendable {
    /// An element for any number of changes since the last; ends with the monitor.
    package let changes: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    /// Unsafe unchecked: dispatch_source_cancel(3) may be called from any thread, and nothing else is.
    private nonisolated(unsafe) let source: any DispatchSourceRead

    /// Listens in that namespace until the value is gone; notifications need CAP_NET_ADMIN.
    package convenience init(
        table: String, in namespace: borrowing NetworkNamespace
    ) throws(NetlinkError) {
        self.init(table: table, ear: try namespace.run { () throws(NetlinkError) in try Ear() })
    }

    /// Listens in the namespace of the calling thread.
    package convenience init(table: String) throws(NetlinkError) { self.init(table: table, ear: try Ear()) }

    private init(table: String, ear: Ear) {
        let (changes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let source = ear.socket.readSource(queue: DispatchQueue(label: "tartan.nftables.monitor"))
        source.setEventHandler {
            if ear.hears(of: table) { continuation.yield() }
        }
        // The socket must not be closed while the source may still look at it.
        source.setCancelHandler {
            withExtendedLifetime(ear) { continuation.finish() }
        }
        self.changes = changes
        self.continuation = continuation
        unsafe self.source = source
        source.activate()
    }

    deinit { unsafe source.cancel() }

    /// Whether what was read tells of a change of that table. Any bytes are safe.
    static func tells(_ bytes: RawSpan, of table: String) -> Bool {
        var reader = MessageReader(bytes)
        while let message = reader.next() {
            let type = message.type.rawValue
            guard type >> 8 == NFTablesMessage.subsystem, type & 0xFF != NFTablesMessage.newGeneration else { continue }
            var attributes = message.attributes(after: nfgenmsg.self)
            while let attribute = attributes.next() {
                if attribute.type == NFTablesMessage.table, attribute.text == table { return true }
            }
        }
        return reader.isMalformed
    }

    /// The socket with the memory that it reads into.
    ///
    /// Sendable unchecked: the memory is used by the source's handler alone, which runs on one serial queue.
    @safe private final class Ear: @unchecked Sendable {
        let socket: NetlinkSocket
        private let buffer: UnsafeMutableRawBufferPointer

        init() throws(NetlinkError) {
            socket = try NetlinkSocket(.netfilter)
            unsafe buffer = .allocate(byteCount: 128 << 10, alignment: 8)
            try socket.join(NFTablesMessage.group)
        }

        deinit { unsafe buffer.deallocate() }

        /// Reads what is there; in doubt something has changed.
        func hears(of table: String) -> Bool {
            guard let count = try? unsafe socket.receive(into: buffer) else { return true }
            let bytes = unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return NFTablesMonitor.tells(bytes, of: table)
        }
    }
}
