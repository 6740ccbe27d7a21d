// SPDX-License-Identifier: Apache-2.0

/// Rows under headings, aligned as kubectl does it: columns left, three spaces between, nothing behind the last.
struct TextTable {
    struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var style: TextStyle?

        init(_ text: String?, style: TextStyle? = nil) {
            self.text = text ?? "-"
            self.style = style
        }

        init(stringLiteral value: String) { self.init(value) }
    }

    private let headings: [String]
    private var rows: [[Cell]] = []
    /// At least so wide is each column, for a table that grows later.
    private var widths: [Int]

    init(_ headings: [String], widths: [Int] = []) {
        self.headings = headings
        self.widths = headings.enumerated().map { index, heading in
            max(heading.count, index < widths.count ? widths[index] : 0)
        }
    }

    mutating func append(_ row: [Cell]) {
        rows.append(row)
        for (index, cell) in row.enumerated() where index < widths.count {
            widths[index] = max(widths[index], cell.text.count)
        }
    }

    func text(colour: Bool) -> String {
        ([headings.map { Cell($0, style: .bold) }] + rows).map { line($0, colour: colour) }.joined()
    }

    /// One row alone, as wide as the table.
    func line(_ row: [Cell], colour: Bool) -> String {
        var line = ""
        for (index, cell) in row.enumerated() {
            line += colour ? cell.style.map { $0(cell.text) } ?? cell.text : cell.text
            if index + 1 < row.count {
                line += String(repeating: " ", count: max(0, widths[index] - cell.text.count) + 3)
            }
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
