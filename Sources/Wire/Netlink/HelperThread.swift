// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A thread for what must not happen to the caller's: to change its network namespace.
///
/// Not a queue's thread, which somebody else would get afterwards, with the namespace.
enum HelperThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs the body there and waits for it.
    static func run<Result: Sendable>(
        _ body: @escaping @Sendable () throws(NetlinkError) -> Result
    ) throws(NetlinkError) -> Result {
        let outcome = Outcome<Result>()
        let work = Work {
            do throws(NetlinkError) {
                outcome.set(.success(try body()))
            } catch {
                outcome.set(.failure(error))
            }
        }
        let argument = unsafe Unmanaged.passRetained(work)
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, argument.toOpaque())
        guard status == 0 else {
            unsafe argument.release()
            throw NetlinkError(operand: "thread", cause: .system("pthread_create", ErrorNumber(status)))
        }
        pthread_join(thread, nil)
        return try outcome.get()
    }

    private final class Outcome<Value: Sendable>: Sendable {
        private let result = Mutex<Result<Value, NetlinkError>?>(nil)

        func set(_ value: Result<Value, NetlinkError>) { result.withLock { $0 = value } }

        func get() throws(NetlinkError) -> Value {
            guard let result = result.withLock({ $0 }) else {
                throw NetlinkError(operand: "thread", cause: .unanswered)
            }
            return try result.get()
        }
    }
}
