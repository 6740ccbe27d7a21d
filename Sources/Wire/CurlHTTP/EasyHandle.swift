// SPDX-License-Identifier: Apache-2.0

import CCurl

/// A curl easy handle, freed with its owner. It is confined to the loop's thread, as its owner ``CurlTransfer`` is.
@safe struct EasyHandle: ~Copyable {
    let pointer: UnsafeMutableRawPointer

    init?() {
        guard let pointer = unsafe curl_easy_init() else { return nil }
        unsafe self.pointer = pointer
    }

    deinit { unsafe curl_easy_cleanup(pointer) }

    func set(_ option: CURLoption, _ value: Int) throws(CurlOptionError) {
        try check(unsafe ccurl_set_long(pointer, option, value), option)
    }

    func set(_ option: CURLoption, _ value: Bool) throws(CurlOptionError) { try set(option, value ? 1 : 0) }

    /// Milliseconds; zero, which curl takes for no limit, becomes one.
    func set(_ option: CURLoption, _ value: Duration?) throws(CurlOptionError) {
        try set(option, value.map { max(1, Int(clamping: $0.milliseconds)) } ?? 0)
    }

    func set(_ option: CURLoption, _ value: String?) throws(CurlOptionError) {
        let code = value.map { unsafe $0.withCString { unsafe ccurl_set_string(pointer, option, $0) } }
        try check(unsafe code ?? ccurl_set_string(pointer, option, nil), option)
    }

    func set(_ option: CURLoption, blob: [UInt8]?) throws(CurlOptionError) {
        let code = blob.map { blob in
            unsafe blob.withUnsafeBytes { unsafe ccurl_set_blob(pointer, option, $0.baseAddress, $0.count) }
        }
        try check(unsafe code ?? ccurl_set_blob(pointer, option, nil, 0), option)
    }

    func setBody(_ body: [UInt8]) throws(CurlOptionError) {
        let code = unsafe body.withUnsafeBytes { unsafe ccurl_set_body(pointer, $0.baseAddress, $0.count) }
        try check(code, CURLOPT_COPYPOSTFIELDS)
    }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe ccurl_get_long(pointer, info, &value)
        return value
    }

    func check(_ code: CURLcode, _ option: CURLoption) throws(CurlOptionError) {
        if code != CURLE_OK {
            throw CurlOptionError(
                reason: "libcurl refuses option \(option.rawValue): \(unsafe String(cString: curl_easy_strerror(code)))"
            )
        }
    }
}

/// The installed libcurl cannot do what a request needs.
struct CurlOptionError: Error {
    let reason: String
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : whole &+ attoseconds / 1_000_000_000_000_000
    }
}
