// SPDX-License-Identifier: Apache-2.0

package import Logging
import Synchronization

/// What was logged, line by line.
package final class LogBook: Sendable {
    private let entries = Mutex<[String]>([])

    package init() {}

    package var lines: [String] { entries.withLock { $0 } }
    package func count(_ text: String) -> Int { lines.count { $0.contains(text) } }

    package var handler: any LogHandler { Handler(book: self) }

    private struct Handler: LogHandler {
        let book: LogBook
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let words = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
            book.entries.withLock { $0.append("\(event.level) \(event.message) \(words)") }
        }
    }
}
