// SPDX-License-Identifier: Apache-2.0

import CCurl

/// One easy handle and the request it carries at the moment; between two requests it rests in the engine's pool.
///
/// Not Sendable: it is made, used and freed on the loop's thread only. curl's callbacks, which get it as their context,
/// run inside `curl_multi_perform` and `curl_easy_pause`, so on that thread too. Safe to use: its pointers are its own,
/// made in `init`, freed in `deinit`, never handed out.
@safe final class CurlTransfer {
    let easy: EasyHandle
    private(set) var call: CurlCall?
    var receiver: CurlReceiver?

    var status = 0
    var headers = CurlHeaders()
    var body: [UInt8] = []
    var splitter: LineSplitter?
    /// How often the request was about to be sent, over all connections tried.
    var sendings = 0
    /// Why a callback ended the transfer, where one did.
    var abortReason: CurlError?
    var head: HeadState = .reading
    var clock = StreamClock()

    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var listedHeaders: [CurlHeader] = []
    private var credentials: TLSFiles?
    private let reasonBuffer: UnsafeMutablePointer<CChar>

    enum HeadState {
        case reading
        /// The head's empty line came; the engine has yet to tell.
        case complete
        case delivered
    }

    init?() {
        guard let easy = EasyHandle() else { return nil }
        self.easy = easy
        unsafe reasonBuffer = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe reasonBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        do throws(CurlOptionError) { try setUp() } catch { return nil }
    }

    deinit {
        // curl may look at both until the handle is gone, which is right after this.
        _ = unsafe ccurl_set_pointer(easy.pointer, CURLOPT_ERRORBUFFER, nil)
        _ = unsafe ccurl_set_list(easy.pointer, CURLOPT_HTTPHEADER, nil)
        unsafe curl_slist_free_all(headerList)
        unsafe reasonBuffer.deallocate()
    }

    /// What is the same for every request.
    private func setUp() throws(CurlOptionError) {
        try easy.set(CURLOPT_NOSIGNAL, true)
        try easy.set(CURLOPT_PROTOCOLS_STR, "http,https")
        try easy.set(CURLOPT_FOLLOWLOCATION, false)
        // An empty name, not none: with none curl would look into the environment.
        try easy.set(CURLOPT_PROXY, "")
        try easy.set(CURLOPT_DISALLOW_USERNAME_IN_URL, true)
        try easy.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try easy.set(CURLOPT_BUFFERSIZE, 1 << 17)
        try easy.set(CURLOPT_TCP_NODELAY, true)
        try easy.set(CURLOPT_TCP_KEEPALIVE, true)
        try easy.set(CURLOPT_TCP_KEEPIDLE, 10)
        try easy.set(CURLOPT_TCP_KEEPINTVL, 3)
        try easy.check(unsafe ccurl_set_socket_options(easy.pointer), CURLOPT_SOCKOPTFUNCTION)
        try easy.set(CURLOPT_CA_CACHE_TIMEOUT, 0)
        try easy.set(CURLOPT_SSL_SESSIONID_CACHE, false)
        try easy.check(
            unsafe ccurl_set_pointer(easy.pointer, CURLOPT_ERRORBUFFER, reasonBuffer), CURLOPT_ERRORBUFFER)
        try setCallbacks()
    }

    /// - Parameter oldestConnection: the greatest age of a connection that may be used; `nil`: any.
    func prepare(
        _ call: CurlCall, receiver: CurlReceiver, oldestConnection: Duration?
    ) throws(CurlOptionError) {
        let request = call.request
        // curl compares whole seconds, and takes 0 for no limit: right after a renewal only a new one is surely young.
        let age = oldestConnection.map { Int($0.components.seconds) - 1 }
        let needsNew = age.map { $0 < 1 } ?? false
        try easy.set(CURLOPT_MAXLIFETIME_CONN, max(0, age ?? 0))
        try easy.set(CURLOPT_URL, request.url)
        try easy.set(CURLOPT_UNIX_SOCKET_PATH, request.unixSocketPath)
        try setMethod(request)
        try setHeaders(request.headers)
        try setCredentials(call.credentials)
        try easy.set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout)
        try easy.set(CURLOPT_FRESH_CONNECT, request.freshConnection || needsNew)
        try easy.set(CURLOPT_FORBID_REUSE, request.freshConnection)
        unsafe reasonBuffer.pointee = 0
        if case .stream(_, let buffer) = receiver {
            // The clock below ends a stream that is late; curl's own limit would end one that is merely long.
            try easy.set(CURLOPT_TIMEOUT_MS, Duration?.none)
            splitter = LineSplitter(buffer: buffer)
            clock = StreamClock(request: request, start: .now)
        } else {
            try easy.set(CURLOPT_TIMEOUT_MS, request.timeout)
        }
        self.call = call
        self.receiver = receiver
    }

    /// Forgets the request, so that the handle can carry another.
    func reset() {
        call = nil
        receiver = nil
        status = 0
        headers = CurlHeaders()
        body = []
        splitter = nil
        sendings = 0
        abortReason = nil
        head = .reading
        clock = StreamClock()
    }

    /// What curl wrote about a failure.
    var reason: String? { unsafe reasonBuffer.pointee == 0 ? nil : String(cString: reasonBuffer) }

    private func setMethod(_ request: CurlRequest) throws(CurlOptionError) {
        try easy.set(CURLOPT_HTTPGET, true)
        switch request.method {
        case .get: try easy.set(CURLOPT_CUSTOMREQUEST, String?.none)
        case .head:
            try easy.set(CURLOPT_NOBODY, true)
            try easy.set(CURLOPT_CUSTOMREQUEST, String?.none)
            return
        case .post: try easy.set(CURLOPT_CUSTOMREQUEST, String?.none)
        case .put, .patch, .delete: try easy.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
        if request.method == .post || !request.body.isEmpty {
            try easy.set(CURLOPT_POST, true)
            try easy.setBody(request.body)
        }
    }

    private func setHeaders(_ headers: [CurlHeader]) throws(CurlOptionError) {
        if unsafe headerList != nil, headers == listedHeaders { return }
        // Without the first, curl asks before it sends a large body; without the second, every POST claims to be a form.
        var list = unsafe curl_slist_append(nil, "Expect:")
        unsafe list = curl_slist_append(list, "Content-Type:")
        for header in headers {
            guard let line = header.line else {
                unsafe curl_slist_free_all(list)
                throw CurlOptionError(reason: "the header \(header.name) has a character that no header may have")
            }
            unsafe list = curl_slist_append(list, line)
        }
        try easy.check(unsafe ccurl_set_list(easy.pointer, CURLOPT_HTTPHEADER, list), CURLOPT_HTTPHEADER)
        unsafe curl_slist_free_all(headerList)
        unsafe headerList = unsafe list
        listedHeaders = headers
    }

    private func setCredentials(_ files: TLSFiles?) throws(CurlOptionError) {
        guard files !== credentials else { return }
        try easy.set(CURLOPT_CAINFO_BLOB, blob: files?.authorities)
        try easy.set(CURLOPT_SSLCERT_BLOB, blob: files?.certificate)
        try easy.set(CURLOPT_SSLKEY_BLOB, blob: files?.key)
        credentials = files
    }
}
