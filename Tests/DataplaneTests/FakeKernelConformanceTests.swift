// SPDX-License-Identifier: Apache-2.0

import Dataplane
import IPAddressing
import Leases
import TestKit
import Testing

/// The fake keeps the promises of the real one, which KernelTests hold to the same.
@Suite struct FakeKernelConformanceTests {
    @Test(arguments: DataplaneDriverRule.allCases, [true, false])
    func `the fake kernel keeps the promise`(rule: DataplaneDriverRule, hasNextHops: Bool) async throws {
        let kernel = FakeKernel()
        kernel.change { $0.hasNextHops = hasNextHops }
        let underlay = try await kernel.underlay(UnderlaySelection())
        let device = VXLANDevice(
            name: "tartan.1", config: VXLANConfig(), mac: MACAddress(bits: 0x0200_0000_FFFF), underlay: underlay,
            address: IPv4Prefix(host: IPv4Address(10, 244, 1, 0)))
        try await DataplaneDriverConformance(driver: kernel, device: device).check(rule)
    }
}
