// SPDX-License-Identifier: Apache-2.0

/// An answer whose head has arrived and whose body is still coming.
package struct CurlStream: Sendable {
    package let status: Int
    package let headers: CurlHeaders
    package let lines: LineSequence
}
