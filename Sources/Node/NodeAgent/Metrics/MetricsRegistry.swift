// SPDX-License-Identifier: Apache-2.0

package import Metrics
import Synchronization

/// A backend of swift-metrics that keeps its instruments in memory and writes them as Prometheus' text.
///
/// It is handed to the instruments that use it, not bootstrapped for the process: a metric's name and meaning are then
/// the program's own, and no library can add one that nobody described.
package final class MetricsRegistry: MetricsFactory {
    /// What a family is, said before its first instrument is made.
    package struct Description: Sendable {
        let name: String
        let help: String
        let bounds: [Double]

        package init(_ name: String, _ help: String, bounds: [Double] = []) {
            self.name = name
            self.help = help
            self.bounds = bounds
        }
    }

    private enum Instrument {
        case counter(CounterInstrument)
        case gauge(GaugeInstrument)
        case histogram(HistogramInstrument)

        var kind: MetricsText.Kind {
            switch self {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
        }
    }

    private struct Family {
        var help = "(not described)"
        var bounds: [Double] = []
        /// By their labels.
        var series: [String: Instrument] = [:]
    }

    private let families: Mutex<[String: Family]>

    package init(_ descriptions: [Description]) {
        var families: [String: Family] = [:]
        for entry in descriptions { families[entry.name] = Family(help: entry.help, bounds: entry.bounds) }
        self.families = Mutex(families)
    }

    /// Every family that has an instrument, by name.
    package func write(to text: inout MetricsText) {
        let families = families.withLock { $0 }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            guard let kind = family.series.values.first?.kind else { continue }
            text.family(name, kind, family.help)
            for (labels, instrument) in family.series.sorted(by: { $0.key < $1.key }) {
                switch instrument {
                case .counter(let counter): text.sample(name, labels: labels, counter.value)
                case .gauge(let gauge): text.sample(name, labels: labels, gauge.value)
                case .histogram(let histogram): histogram.write(name, labels: labels, to: &text)
                }
            }
        }
    }

    /// The instrument of those labels, made where it is not there yet; one of another kind stays, and the new one is
    /// then counted nowhere.
    private func instrument(
        _ name: String, _ dimensions: [(String, String)], make: (Family) -> Instrument
    ) -> Instrument {
        let labels = MetricsText.labels(dimensions)
        return families.withLock { families in
            let family = families[name] ?? Family()
            let new = make(family)
            if let known = family.series[labels] { return known.kind == new.kind ? known : new }
            if let other = family.series.values.first, other.kind != new.kind { return new }
            families[name, default: family].series[labels] = new
            return new
        }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        guard case .counter(let counter) = instrument(label, dimensions, make: { _ in .counter(CounterInstrument()) })
        else { return CounterInstrument() }
        return counter
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate { histogram(label, dimensions) } else { gauge(label, dimensions) }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeInstrument {
        guard case .gauge(let gauge) = instrument(label, dimensions, make: { _ in .gauge(GaugeInstrument()) })
        else { return GaugeInstrument() }
        return gauge
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramInstrument {
        let made = instrument(label, dimensions) { .histogram(HistogramInstrument(bounds: $0.bounds)) }
        guard case .histogram(let histogram) = made else { return HistogramInstrument(bounds: []) }
        return histogram
    }

    // What was counted stays counted: a series that disappears looks like a restart.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
