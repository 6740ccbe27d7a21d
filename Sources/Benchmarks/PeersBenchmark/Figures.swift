// SPDX-License-Identifier: Apache-2.0

/// What one start cost.
struct Figures {
    /// From the start of the process to the published subnet, in seconds.
    var subnetFile: Double
    /// From the start of the process until every entry is in the kernel.
    var programmed: Double
    /// User and system time of the process, in seconds.
    var processor: Double
    /// Its peak resident set (VmHWM), in MiB.
    var peakMemory: Double
    /// Its anonymous memory (RssAnon) when all is done, in MiB.
    var anonymousMemory: Double?

    /// flanneld with the vxlan backend and 10,000 leases against an etcd on the same machine.
    static let flanneld = Figures(
        subnetFile: 3.5, programmed: 10.1, processor: 6.3, peakMemory: 39, anonymousMemory: nil)

    static let heading = "                subnet.env s  all entries s  CPU s  peak MiB  anon MiB"

    func row(_ name: String) -> String {
        pad(name, 12, left: true) + pad(number(subnetFile, 3), 16) + pad(number(programmed, 3), 15)
            + pad(number(processor, 2), 7) + pad(number(peakMemory, 1), 10)
            + pad(anonymousMemory.map { number($0, 1) } ?? "-", 10)
    }

    static func median(_ all: [Figures]) -> Figures {
        func middle(_ value: (Figures) -> Double) -> Double { all.map(value).sorted()[all.count / 2] }
        return Figures(
            subnetFile: middle(\.subnetFile), programmed: middle(\.programmed), processor: middle(\.processor),
            peakMemory: middle(\.peakMemory), anonymousMemory: middle { $0.anonymousMemory ?? 0 })
    }

    private func number(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int((value * scale).rounded())
        let text = String(whole)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? text + space : space + text
    }
}
