// SPDX-License-Identifier: Apache-2.0

import JSONText

/// One line of a streamed answer: `{"result":...}` or `{"error":...}`.
enum StreamLine<Result: Sendable>: Sendable {
    case result(Result)
    case error(GatewayRefusal)

    init(_ json: inout JSONReader, _ read: (inout JSONReader) throws(JSONError) -> Result) throws(JSONError) {
        var line: StreamLine?
        try json.object { name, json throws(JSONError) in
            switch name {
            case "result": line = .result(try read(&json))
            case "error" where json.peek() == .object: line = .error(try GatewayRefusal(&json))
            default: try json.skip()
            }
        }
        guard let line else { throw json.error("neither a result nor an error") }
        self = line
    }
}
