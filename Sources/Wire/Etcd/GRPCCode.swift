// SPDX-License-Identifier: Apache-2.0

/// A status code of gRPC, which is what etcd's gateway decides by; the HTTP status of one code differs between
/// versions. See grpc/status.h and the gRPC documentation "Status codes".
package struct GRPCCode: Hashable, Sendable, CustomStringConvertible {
    package let value: Int

    package init(_ value: Int) { self.value = value }

    package static let cancelled = Self(1)
    package static let unknown = Self(2)
    package static let invalidArgument = Self(3)
    package static let deadlineExceeded = Self(4)
    package static let notFound = Self(5)
    package static let alreadyExists = Self(6)
    package static let permissionDenied = Self(7)
    package static let resourceExhausted = Self(8)
    package static let failedPrecondition = Self(9)
    package static let aborted = Self(10)
    package static let outOfRange = Self(11)
    package static let unimplemented = Self(12)
    package static let `internal` = Self(13)
    package static let unavailable = Self(14)
    package static let dataLoss = Self(15)
    package static let unauthenticated = Self(16)

    private static let names = [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ]

    package var description: String { Self.names.indices.contains(value) ? Self.names[value] : "code \(value)" }
}
