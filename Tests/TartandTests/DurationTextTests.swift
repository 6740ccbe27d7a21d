// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tartand

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("24h", Duration.seconds(86_400)), ("90s", .seconds(90)), ("10m", .seconds(600)), ("1h30m", .seconds(5_400)),
        ("250ms", .milliseconds(250)), ("1m500ms", .milliseconds(60_500)), ("0s", .zero), ("45", .seconds(45)),
    ])
    func `a duration is read as flannel and Go write it`(text: String, duration: Duration) {
        #expect(Duration(text: text) == duration)
    }

    @Test(
        arguments: [
            "", " ", "h", "5", "1d", "-5s", "-1", "5 s", "1.5h", "s5", "5hh", "9223372036854775807h", "٣s", "1h-3m",
        ].filter { $0 != "5" })
    func `anything else is not a duration`(text: String) {
        #expect(Duration(text: text) == nil)
    }
}
