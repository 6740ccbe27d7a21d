// SPDX-License-Identifier: Apache-2.0

import CCurl

// curl's callbacks, all of them. The context is the transfer, unretained: the handle that calls is the transfer's own
// and goes with it. The bytes are curl's and valid during the call only.
extension CurlTransfer {
    func setCallbacks() throws(CurlOptionError) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        for option in [CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_PREREQDATA] {
            try easy.check(unsafe ccurl_set_pointer(easy.pointer, option, context), option)
        }
        let write = unsafe ccurl_set_data_function(easy.pointer, CURLOPT_WRITEFUNCTION) { bytes, _, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            return unsafe CurlTransfer.at(context).received(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        try easy.check(write, CURLOPT_WRITEFUNCTION)
        let head = unsafe ccurl_set_data_function(easy.pointer, CURLOPT_HEADERFUNCTION) { bytes, _, count, context in
            guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
            return unsafe CurlTransfer.at(context).receivedHead(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        try easy.check(head, CURLOPT_HEADERFUNCTION)
        let sending = unsafe ccurl_set_prerequest_function(easy.pointer) { context, _, _, _, _ in
            guard let context = unsafe context else { return Int32(CURL_PREREQFUNC_ABORT) }
            return unsafe CurlTransfer.at(context).isAboutToSend()
                ? Int32(CURL_PREREQFUNC_OK) : Int32(CURL_PREREQFUNC_ABORT)
        }
        try easy.check(sending, CURLOPT_PREREQFUNCTION)
    }

    /// The transfer behind a context pointer.
    static func at(_ context: UnsafeMutableRawPointer) -> CurlTransfer {
        unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
    }

    /// A part of the body; anything but its length ends or pauses the transfer.
    private func received(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let call else { return 0 }
        if splitter != nil {
            clock.received(at: .now)
            switch unsafe splitter?.append(bytes) {
            case .taken?: return bytes.count
            case .full?:
                clock.pause()
                return Int(CURL_WRITEFUNC_PAUSE)
            case .lineTooLong(let limit)?:
                abortReason = .lineTooLong(endpoint: call.endpoint, limit: limit)
                return 0
            case nil: return 0
            }
        }
        guard body.count + bytes.count <= call.request.maximumBodySize else {
            abortReason = .bodyTooLarge(endpoint: call.endpoint, limit: call.request.maximumBodySize)
            return 0
        }
        if body.isEmpty { reserveBody(atMost: call.request.maximumBodySize) }
        unsafe body.append(contentsOf: bytes)
        return bytes.count
    }

    /// Makes room for the whole body at once where its length was announced.
    private func reserveBody(atMost limit: Int) {
        var announced: curl_off_t = -1
        unsafe ccurl_get_offset(easy.pointer, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced)
        if announced > 0 { body.reserveCapacity(min(announced, limit)) }
    }

    /// One line of a head: the first one starts it anew (after a `100 Continue`), an empty one ends it.
    private func receivedHead(_ bytes: UnsafeRawBufferPointer) -> Int {
        if unsafe bytes.starts(with: "HTTP/".utf8) {
            headers = CurlHeaders()
        } else if unsafe bytes.first == 0x0D || bytes.first == 0x0A {
            status = easy.number(CURLINFO_RESPONSE_CODE)
            if status >= 200, head == .reading { head = .complete }
        } else {
            unsafe headers.append(bytes)
        }
        return bytes.count
    }

    private func isAboutToSend() -> Bool {
        sendings += 1
        if sendings == 1 || call?.request.repeatable == true { return true }
        if let call {
            abortReason = .closed(endpoint: call.endpoint, reason: "the server closed it before it answered")
        }
        return false
    }
}
