// SPDX-License-Identifier: Apache-2.0

package import Etcd
package import Leases

extension LeaseStoreError {
    package init(_ error: EtcdError) {
        let remedy: Remedy =
            switch error.cause {
            case .cancelled: .cancelled
            default: error.needsOperator ? .operatorNeeded : .retry
            }
        self.init(remedy: remedy, description: error.description, mayHaveApplied: error.mayHaveApplied)
    }
}
