// SPDX-License-Identifier: Apache-2.0

import CNFTables
import Glibc
import Synchronization

/// A libnftables context: it talks to the network namespace that its thread was in when it was opened.
///
/// Calls block while the kernel works, a few milliseconds. libnftables keeps state outside its contexts, so only one of
/// them is at work in a process at a time.
@safe package struct NFTablesContext: ~Copyable {
    private let context: OpaquePointer

    private static let turn = Mutex(())

    package init() throws(NFTablesError) {
        let (opened, number) = unsafe Self.turn.withLock { _ in unsafe (cnftables_open(), errno) }
        guard let opened = unsafe opened else {
            let cause: NFTablesError.Cause =
                switch number {
                case EPERM, EACCES: .notPermitted
                case EPROTONOSUPPORT, EAFNOSUPPORT: .notSupported
                case EMFILE, ENFILE: .refused("too many descriptors are open: libnftables can't use one above 1023")
                default: .refused("the netfilter socket can't be opened, error \(number)")
                }
            throw NFTablesError(operand: "context", cause: cause)
        }
        unsafe context = opened
    }

    deinit { unsafe cnftables_close(context) }

    /// Runs all commands in one transaction: all of them are done, or none. What they print is returned.
    @discardableResult
    package borrowing func run(_ commands: [NFCommand], about operand: String) throws(NFTablesError) -> String {
        let text = NFCommand.text(of: commands)
        let outcome = Self.turn.withLock { _ -> (isDone: Bool, text: String) in
            let isDone = unsafe cnftables_run(context, text) == 0
            let text = unsafe isDone ? cnftables_output(context) : cnftables_errors(context)
            return (isDone, unsafe text.map { unsafe String(cString: $0) } ?? "")
        }
        guard outcome.isDone else { throw NFTablesError(operand: operand, complaint: outcome.text) }
        return outcome.text
    }
}

extension NFTablesContext {
    /// Puts the table in place of whatever bears its name, in one transaction: a packet meets the old one or the new.
    package borrowing func replace(_ table: NFTable) throws(NFTablesError) {
        try run(NFCommand.replacing(table), about: "\(table)")
    }

    /// Success also where there is none.
    package borrowing func remove(_ id: NFTable.ID) throws(NFTablesError) {
        try run(NFCommand.removing(id), about: "\(id)")
    }

    /// The table as the kernel has it; `nil` where it has none such.
    package borrowing func table(_ id: NFTable.ID) throws(NFTablesError) -> NFTable? {
        let text: String
        do {
            text = try run([.list(table: id)], about: "\(id)")
        } catch {
            guard error.cause == .absent else { throw error }
            return nil
        }
        return try NFTable.tables(inListing: text).first { $0.id == id }
    }

    /// Every chain of every table, without its rules.
    package borrowing func chains() throws(NFTablesError) -> [NFTable] {
        try NFTable.tables(inListing: run([.listChains], about: "chains"))
    }
}
