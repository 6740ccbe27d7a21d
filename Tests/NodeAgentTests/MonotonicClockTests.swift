// SPDX-License-Identifier: Apache-2.0

import Foundation
import Leases
import NodeAgent
import Testing

@Suite struct MonotonicClockTests {
    @Test func `counted from the machine's start a reading is what the kernel says`() throws {
        let clock = MonotonicClock()
        let text = try String(contentsOfFile: "/proc/uptime", encoding: .utf8)
        let uptime = try #require(Double(text.prefix { $0 != " " }))
        let reading = clock.sinceBoot(clock.now + .seconds(60)) / .seconds(1)
        // Between the two the test may have had to wait for a processor.
        #expect(abs(reading - uptime - 60) < 5)
    }
}
