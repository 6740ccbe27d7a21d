// SPDX-License-Identifier: Apache-2.0

import Metrics
import Synchronization

/// A number that only grows.
final class CounterInstrument: CounterHandler {
    private let count = Atomic<Int64>(0)

    var value: Int { Int(count.load(ordering: .relaxed)) }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }

    func reset() { count.store(0, ordering: .relaxed) }
}

/// A number as it is now.
final class GaugeInstrument: MeterHandler, RecorderHandler {
    private let number = Mutex(0.0)

    var value: Double { number.withLock { $0 } }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { number.withLock { $0 = value } }
    func increment(by amount: Double) { number.withLock { $0 += amount } }
    func decrement(by amount: Double) { number.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
}

/// How many observations were how large. A timer's are nanoseconds that are told as seconds.
final class HistogramInstrument: TimerHandler, RecorderHandler {
    private struct State {
        var counts: [Int]
        var sum = 0.0
    }

    /// Upper bounds, ascending; above the last is everything else.
    let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) * 1e-9) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let place = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    /// The samples of a histogram: cumulative, the last bucket's count is that of all.
    func write(_ name: String, labels: String, to text: inout MetricsText) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let prefix = labels.isEmpty ? "" : labels + ","
        var total = 0
        for (place, count) in counts.enumerated() {
            total += count
            let bound = place < bounds.count ? MetricsText.text(of: bounds[place]) : "+Inf"
            text.sample("\(name)_bucket", labels: "\(prefix)le=\"\(bound)\"", total)
        }
        text.sample("\(name)_sum", labels: labels, sum)
        text.sample("\(name)_count", labels: labels, total)
    }
}
