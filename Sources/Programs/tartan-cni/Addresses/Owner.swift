// SPDX-License-Identifier: Apache-2.0

/// Who an address's file says has it.
struct Owner: Hashable {
    let containerID: String
    /// `nil` in files of host-local before 0.7, which stand for every interface of the container.
    let interface: String?

    init(_ attachment: Attachment) {
        containerID = attachment.containerID
        interface = attachment.interface
    }

    /// `nil` where the text names no container.
    init?(parsing text: String) {
        // Neither an ID nor an interface has a space in it.
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let container = words.first, Invocation.isIdentifier(container) else { return nil }
        containerID = container
        interface = words.dropFirst().first
    }

    var text: String { interface.map { "\(containerID)\r\n\($0)" } ?? containerID }

    func owns(for attachment: Attachment) -> Bool {
        containerID == attachment.containerID && (interface ?? attachment.interface) == attachment.interface
    }
}
