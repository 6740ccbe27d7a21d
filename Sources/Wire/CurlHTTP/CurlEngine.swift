// SPDX-License-Identifier: Apache-2.0

import CCurl

/// The curl_multi and everything in it, on the loop's thread from its making to its end.
///
/// A transfer is in `transfers` from its start until ``complete(_:_:)``, which alone takes its receiver; that is why
/// every continuation is resumed exactly once. Safe to use: the one pointer is made in `init`, freed in `deinit`, never
/// handed out but to the loop, which takes it back before.
@safe final class CurlEngine {
    private let loop: CurlLoop
    private let multi: UnsafeMutableRawPointer
    private var transfers: [ObjectIdentifier: CurlTransfer] = [:]
    /// Transfers at rest, for the next requests.
    private var pool: [CurlTransfer] = []
    /// When the clock of some stream has to be looked at; never later than the first of them wants.
    private var alarm: ContinuousClock.Instant?
    /// Connections from before are not used again.
    private var renewedAt: ContinuousClock.Instant?

    init?(loop: CurlLoop) {
        guard CurlLibrary.isReady, let multi = unsafe curl_multi_init() else { return nil }
        self.loop = loop
        unsafe self.multi = multi
        let connections = loop.configuration.idleConnections
        _ = unsafe ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(1, connections))
        loop.attach(unsafe WakeTarget(multi: multi))
    }

    deinit { unsafe curl_multi_cleanup(multi) }

    func run() {
        while let commands = loop.take() {
            for command in commands { handle(command) }
            perform()
            checkClocks()
            _ = unsafe curl_multi_poll(multi, nil, 0, pollTime, nil)
        }
        shutDown()
    }

    private func handle(_ command: CurlCommand) {
        switch command {
        case .start(let call, let receiver): start(call, receiver)
        case .cancel(let call):
            if let transfer = transfers[ObjectIdentifier(call)] { complete(transfer, .failure(.cancelled)) }
        case .resume(let call):
            guard let transfer = transfers[ObjectIdentifier(call)], transfer.clock.isPaused else { return }
            transfer.clock.resume(at: .now)
            watch(transfer)
            _ = unsafe curl_easy_pause(transfer.easy.pointer, CURLPAUSE_CONT)
        case .renewConnections:
            renewedAt = .now
            for transfer in Array(transfers.values) {
                guard let call = transfer.call else { continue }
                complete(
                    transfer,
                    .failure(.closed(endpoint: call.endpoint, reason: "this host's own address has changed")))
            }
        }
    }

    private func start(_ call: CurlCall, _ receiver: CurlReceiver) {
        guard !call.isCancelled else { return receiver.fail(.cancelled) }
        guard let transfer = pool.popLast() ?? CurlTransfer() else {
            return receiver.fail(.badRequest(url: call.request.url, reason: "libcurl gave no handle"))
        }
        do throws(CurlOptionError) {
            try transfer.prepare(call, receiver: receiver, oldestConnection: renewedAt.map { .now - $0 })
        } catch {
            return receiver.fail(.badRequest(url: call.request.url, reason: error.reason))
        }
        guard unsafe curl_multi_add_handle(multi, transfer.easy.pointer) == CURLM_OK else {
            return receiver.fail(.badRequest(url: call.request.url, reason: "libcurl did not take the request"))
        }
        transfers[ObjectIdentifier(call)] = transfer
        watch(transfer)
    }

    private func perform() {
        var running: Int32 = 0
        unsafe curl_multi_perform(multi, &running)
        deliverHeads()
        var context: UnsafeMutableRawPointer? = nil
        var code = CURLE_OK
        while unsafe ccurl_multi_next_done(multi, &context, &code) {
            guard let done = unsafe context else { continue }
            let transfer = unsafe CurlTransfer.at(done)
            complete(transfer, transfer.outcome(code))
        }
    }

    /// Tells the callers of streams whose head is there now.
    private func deliverHeads() {
        for transfer in transfers.values where transfer.head == .complete { deliverHead(transfer) }
    }

    private func deliverHead(_ transfer: CurlTransfer) {
        guard let call = transfer.call, case .stream(let continuation, let buffer) = transfer.receiver else { return }
        transfer.head = .delivered
        transfer.receiver = nil
        transfer.clock.headArrived(at: .now)
        watch(transfer)
        let handle = StreamHandle(call: call, loop: loop, buffer: buffer)
        let stream = CurlStream(
            status: transfer.status, headers: transfer.headers, lines: LineSequence(handle: handle))
        continuation.resume(returning: .success(stream))
    }

    /// Ends a transfer. A connection whose answer is not complete is closed here by curl, there and then.
    private func complete(_ transfer: CurlTransfer, _ outcome: Result<Void, CurlError>) {
        guard let call = transfer.call, transfers.removeValue(forKey: ObjectIdentifier(call)) != nil else { return }
        unsafe curl_multi_remove_handle(multi, transfer.easy.pointer)
        if case .success = outcome, transfer.head == .complete { deliverHead(transfer) }
        if case .failure(let error) = outcome {
            transfer.splitter?.finish(error)
            transfer.receiver?.fail(error)
        } else {
            transfer.splitter?.finish(nil)
            if case .response(let continuation) = transfer.receiver {
                let body = transfer.takeBody()
                let response = CurlResponse(status: transfer.status, headers: transfer.headers, body: body)
                continuation.resume(returning: .success(response))
            } else {
                transfer.receiver?.fail(.badAnswer(endpoint: call.endpoint, reason: "no head"))
            }
        }
        transfer.reset()
        if pool.count < 8 { pool.append(transfer) }
    }

    private func watch(_ transfer: CurlTransfer) {
        guard let next = transfer.clock.next else { return }
        alarm = alarm.map { min($0, next) } ?? next
    }

    private func checkClocks() {
        guard let alarm, alarm <= .now else { return }
        let now = ContinuousClock.now
        self.alarm = nil
        for transfer in Array(transfers.values) {
            guard let call = transfer.call else { continue }
            switch transfer.clock.check(at: now) {
            case .nothing: break
            case .headIsLate:
                let limit = call.request.timeout ?? .zero
                complete(
                    transfer, .failure(.timedOut(endpoint: call.endpoint, phase: transfer.phase, after: limit)))
            case .isIdle:
                complete(
                    transfer, .failure(.idle(endpoint: call.endpoint, after: call.request.idleLimit ?? .zero)))
            case .isSilent: transfer.splitter?.buffer.noticeSilence()
            }
            watch(transfer)
        }
    }

    /// How long to sleep at most; curl itself shortens that to its own next timer.
    private var pollTime: Int32 {
        guard let alarm else { return 3_600_000 }
        let left = (alarm - .now).milliseconds
        return Int32(min(max(left + 1, 0), 3_600_000))
    }

    private func shutDown() {
        for transfer in Array(transfers.values) { complete(transfer, .failure(.shutDown)) }
        pool = []
        loop.attach(unsafe WakeTarget(multi: nil))
    }
}

/// libcurl's own start, once for the process.
enum CurlLibrary {
    static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
}
