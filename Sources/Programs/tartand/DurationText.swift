// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// Reads `24h`, `90s`, `10m`, `1h30m` or a number of seconds; `nil` for anything else and for nothing at all.
    init?(text: String) {
        if let seconds = Int64(text) {
            guard seconds >= 0 else { return nil }
            self = .seconds(seconds)
            return
        }
        var total = Int64(0)
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            let scale: Int64
            switch unit {
            case "h": scale = 3_600_000
            case "m": scale = 60_000
            case "s": scale = 1_000
            case "ms": scale = 1
            default: return nil
            }
            guard let number = Int64(digits),
                case let (product, isTooLarge) = number.multipliedReportingOverflow(by: scale),
                !isTooLarge, case let (sum, overflows) = total.addingReportingOverflow(product), !overflows
            else { return nil }
            total = sum
        }
        self = .milliseconds(total)
    }
}
