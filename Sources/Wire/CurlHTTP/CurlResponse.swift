// SPDX-License-Identifier: Apache-2.0

/// A whole answer.
package struct CurlResponse: Sendable {
    package let status: Int
    package let headers: CurlHeaders
    package let body: [UInt8]
}
