// SPDX-License-Identifier: Apache-2.0

/// What the search does to the nodes and to etcd.
package enum ModelFault: String, CaseIterable, Sendable {
    case requestLost
    case answerLost
    case answerLate
    case takesEffectLate
    case nodePaused
    case nodeCrashed
    case memoryWiped
    case nodeStopped
    case nodeReleased
    case addressChanged
    case addressMoved
    case nodePartitioned
    case wallClockJumped
    case etcdDown
    case leaderChanged
    case compacted
    case restored
    case keyDeleted
    case keyOverwritten
    case reserved
    case configChanged
    case configBroken
    case twoOfOneName
    case twoOfOneAddress
}
