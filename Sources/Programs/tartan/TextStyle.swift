// SPDX-License-Identifier: Apache-2.0

/// A look of text on a terminal (ECMA-48 SGR; `38;5` are xterm's 256 colours).
enum TextStyle: String, Hashable, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case blue = "34"
    case magenta = "35"
    case cyan = "36"
    case madder = "38;5;167"
    case forest = "38;5;65"
    case navy = "38;5;68"
    case heather = "38;5;97"
    case teal = "38;5;37"
    case rose = "38;5;168"
    case moss = "38;5;100"
    case gold = "38;5;172"
    case grey = "38;5;245"

    /// Nodes' colours on the map, in the order of the page's.
    static let dyes: [TextStyle] = [.madder, .forest, .navy, .heather, .teal, .rose, .moss]

    func callAsFunction(_ text: String) -> String { "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" }
}
