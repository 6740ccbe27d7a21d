// SPDX-License-Identifier: Apache-2.0

/// What the runtime asks for (`CNI_COMMAND`), and what the specification says must come with it.
enum Command: String, CaseIterable {
    case add = "ADD"
    case delete = "DEL"
    case check = "CHECK"
    case garbageCollection = "GC"
    case status = "STATUS"
    case version = "VERSION"

    /// The first version of the specification that has it.
    var firstVersion: SpecVersion {
        switch self {
        case .add, .delete, .version: .v0_3_0
        case .check: .v0_4_0
        case .garbageCollection, .status: .v1_1_0
        }
    }

    /// Whether it is about one interface of one container.
    var hasAttachment: Bool {
        switch self {
        case .add, .delete, .check: true
        case .garbageCollection, .status, .version: false
        }
    }

    /// Whether it can't be done without the container's namespace; `DEL` can, because that may be gone.
    var needsNamespace: Bool { self == .add || self == .check }
}
