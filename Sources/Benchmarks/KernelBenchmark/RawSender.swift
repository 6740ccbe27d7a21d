// SPDX-License-Identifier: Apache-2.0

import CRawSender

/// The limit: a C program that does nothing but send. Its restart reads the four tables and looks at nothing.
struct RawSender: Contender {
    static let name = "raw C"

    private let peers: UInt32
    private let arena: Arena

    init(peers: Int, in arena: Arena) {
        self.peers = UInt32(clamping: peers)
        self.arena = arena
    }

    func start() throws -> Duration { try arena.time { [arena, peers] in craw_add(arena.device, peers) } }

    func restart() throws -> Duration? {
        try arena.time { [arena] in
            var count: UInt32 = 0
            return unsafe craw_list(arena.device, &count)
        }
    }

    func removeAll() throws -> Duration { try arena.time { [arena, peers] in craw_remove(arena.device, peers) } }
}
