// SPDX-License-Identifier: Apache-2.0

extension LabCluster {
    /// So many nodes get their pods at the same time; those of one node come one after the other, so that they have the
    /// addresses .2, .3, ... in order.
    private static let width = 8

    /// Makes those nodes' pods, once their daemons have said which subnets are theirs.
    func makePods(ofNodes numbers: ClosedRange<Int>) async throws {
        guard settings.pods > 0 else { return }
        let plugin = try settings.tools.requirePlugin()
        var waiting: [[LabPod]] = []
        for number in numbers {
            let node = description.nodes[number - 1]
            guard let published = published(by: node) else { continue }
            let last = settings.pods - 1
            let hasRoom =
                (published.ipv4.map { $0.address(ofPod: last) != nil } ?? true)
                && (published.ipv6.map { $0.address(ofPod: last) != nil } ?? true)
            guard hasRoom else {
                throw LabFault(.usage, "\(settings.pods) pods do not fit into \(published.subnet); give fewer --pods")
            }
            waiting.append(
                settings.pods(ofNode: number).map { pod in
                    let place = LabPlace.pod(pod)
                    return LabPod(
                        name: "\(place)", namespace: settings.name.namespace(of: place), node: node, plugin: plugin)
                })
        }
        pods += waiting.flatMap(\.self)
        let made = try await Self.forEach(waiting) { pods in
            var made: [LabDescription.Pod] = []
            for pod in pods {
                let addresses = try await pod.add()
                made.append(
                    .init(
                        name: pod.name, namespace: pod.namespace, node: pod.node.name, address: addresses[0],
                        ipv6Address: addresses.first { $0.contains(":") }))
            }
            return made
        }
        description.pods += made.flatMap(\.self)
        try save()
    }

    /// Has the plugin take back what it made, of every pod that it was to make.
    nonisolated static func deletePods(_ pods: [LabPod], progress: @Sendable (String) -> Void) async {
        let problems = try? await forEach(pods) { pod -> String? in
            do {
                try await pod.delete()
                return nil
            } catch {
                return "\(error)"
            }
        }
        for problem in (problems ?? []).compactMap(\.self) { progress(problem) }
    }

    /// Does it for every element, some at the same time; the results in the elements' order.
    private nonisolated static func forEach<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [Int: Result] = [:]
            for (place, element) in elements.enumerated() {
                if place >= width, let (done, result) = try await group.next() { results[done] = result }
                group.addTask { (place, try await body(element)) }
            }
            while let (done, result) = try await group.next() { results[done] = result }
            return elements.indices.compactMap { results[$0] }
        }
    }
}
