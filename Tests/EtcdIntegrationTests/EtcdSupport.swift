// SPDX-License-Identifier: Apache-2.0

import CurlHTTP
import Etcd
import Lab
import Logging
import Synchronization
import Testing

extension EtcdCluster {
    func client(
        tls: CurlTLS? = nil, user: EtcdUser? = nil, first: Int = 0, endpoints: [String]? = nil
    ) throws -> EtcdClient {
        var configuration = try EtcdConfiguration(endpoints: endpoints ?? self.endpoints)
        configuration.tls = tls
        configuration.user = user
        configuration.first = first
        return EtcdClient(configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

extension EtcdClient {
    /// Everything about some keys as of now, and the mark behind which a watch goes on.
    func mark(_ keys: KeyRange) async throws -> HistoryMark {
        let answer = try await range(RangeRequest(keys))
        var mark = HistoryMark(answer.header)
        for keyValue in answer.keyValues { mark.listed(keyValue) }
        return mark
    }
}

/// What a sequence said so far, collected by a task that ends with this.
final class Collected<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])
    private let task = Mutex<Task<Void, Never>?>(nil)

    init<Source: AsyncSequence & Sendable>(_ source: Source) where Source.Element == Element {
        let task = Task { [weak self] in
            do {
                for try await element in source { self?.elements.withLock { $0.append(element) } }
            } catch {}
        }
        self.task.withLock { $0 = task }
    }

    deinit { stop() }

    func stop() { task.withLock { $0?.cancel() } }

    var all: [Element] { elements.withLock { $0 } }
}

extension [WatchNotice] {
    /// The events among them, as `put KEY=VALUE` and `delete KEY`.
    var events: [String] {
        flatMap { notice -> [String] in
            guard case .events(let events, _) = notice else { return [] }
            return events.map { event in
                switch event {
                case .put(let keyValue):
                    "put \(String(decoding: keyValue.key, as: UTF8.self))=\(String(decoding: keyValue.value, as: UTF8.self))"
                case .delete(let key, _): "delete \(String(decoding: key, as: UTF8.self))"
                }
            }
        }
    }

    var openings: Int { count { if case .opened = $0 { true } else { false } } }
    var interruptions: [EtcdError] {
        compactMap { notice in
            guard case .interrupted(let error) = notice else { return nil }
            return error
        }
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ keyValue: KeyValue?) -> String? { keyValue.map { String(decoding: $0.value, as: UTF8.self) } }

/// The value of a metric that a member serves, all its labels added up.
func metric(_ name: String, of member: EtcdProcess) async throws -> Double {
    let page = try await CurlClient().send(CurlRequest(url: "\(member.endpoint)/metrics")).body
    return String(decoding: page, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix(name) }
        .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }.reduce(0, +)
}

/// Measures how long something took, less the time in which this process was not let run: other tests may keep every
/// thread busy for seconds.
final class Stopwatch: Sendable {
    private let start = ContinuousClock.now
    private let lost = Mutex(Duration.zero)
    private let task = Mutex<Task<Void, Never>?>(nil)

    init() {
        let tick = Duration.milliseconds(20)
        let task = Task { [weak self] in
            var last = ContinuousClock.now
            while (try? await Task.sleep(for: tick)) != nil {
                let now = ContinuousClock.now
                let late = last.duration(to: now) - tick * 2
                if late > .zero { self?.lost.withLock { $0 += late } }
                last = now
            }
        }
        self.task.withLock { $0 = task }
    }

    deinit { task.withLock { $0?.cancel() } }

    var elapsed: Duration { start.duration(to: .now) - lost.withLock { $0 } }
}
