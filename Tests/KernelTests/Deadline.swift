// SPDX-License-Identifier: Apache-2.0

/// Waiting that ends.
enum Deadline {
    /// Whether an element came in that time.
    static func first(of stream: AsyncStream<Void>, within limit: Duration = .seconds(30)) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await stream.first { _ in true } != nil }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }
}
