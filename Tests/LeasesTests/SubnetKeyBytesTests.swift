// SPDX-License-Identifier: Apache-2.0

import IPAddressing
import Leases
import Testing

@Suite struct SubnetKeyBytesTests {
    @Test(arguments: ["10.244.20.0-24", "0.0.0.0-0", "255.255.255.255-32", "10.0.0.0-8"])
    func `an IPv4 subnet alone is read from bytes as it is from text`(text: String) throws {
        #expect(SubnetKey(ipv4Text: Array(text.utf8)[...]) == (try SubnetKey(parsing: text)))
    }

    @Test(arguments: [
        "", "-", "-24", "10.244.20.0", "10.244.20.0-", "10.244.20.0-024", "10.244.20.0-08", "10.244.20.0-33",
        "10.244.20.1-24",
        "10.244.20.0-99999999999999999999", "10.244.20.0-2x", "10.244.020.0-24", "10.244.20.0/24", "10.244.20-24",
        "10.244.20.0-24&fd00::-64", "fd00::-64",
    ])
    func `every other text is left to the careful reading`(text: String) {
        #expect(SubnetKey(ipv4Text: Array(text.utf8)[...]) == nil)
    }

    @Test func `the two readings agree on whatever is thrown at them`() {
        let alphabet = Array("0123456789.-&:".utf8)
        for _ in 0..<20_000 {
            var bytes = Array("10.244.20.0-24".utf8)
            for _ in 0..<Int.random(in: 1...2) {
                let place = Int.random(in: 0..<bytes.count)
                if Bool.random() { bytes.remove(at: place) } else { bytes[place] = alphabet.randomElement() ?? 0 }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(SubnetKey(ipv4Text: bytes[...]) == (try? SubnetKey(parsing: text)), "\(text)")
        }
    }
}
