// SPDX-License-Identifier: Apache-2.0

import Glibc
import IPAddressing
import Netlink

/// A bound UDP socket in a namespace.
final class UDPEnd {
    struct Failure: Error { let call: String, number: Int32 }

    private let descriptor: Int32
    let port: UInt16

    init(in namespace: String, _ address: String, port: UInt16 = 0) throws {
        let family = address.contains(":") ? AF_INET6 : AF_INET
        descriptor = try NetworkNamespace(name: namespace).run { () throws(NetlinkError) in
            socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let descriptor = descriptor
        var bound = Self.socketAddress(address, port)
        var size = Self.size(of: bound)
        let status = withUnsafeMutablePointer(to: &bound) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 ? getsockname(descriptor, address, &size) : -1
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw Failure(call: "bind \(address)", number: errno)
        }
        self.port = Self.split(bound).port
    }

    deinit { close(descriptor) }

    func send(_ text: String, to address: String, port: UInt16) throws {
        var target = Self.socketAddress(address, port)
        let size = Self.size(of: target)
        let sent = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, text, text.utf8.count, 0, $0, size)
            }
        }
        guard sent == text.utf8.count else { throw Failure(call: "sendto \(address)", number: errno) }
    }

    func receive() throws -> (text: String, sender: String, port: UInt16) {
        var bytes = [UInt8](repeating: 0, count: 256)
        var sender = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &sender) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, 0, $0, &size)
            }
        }
        guard count >= 0 else { throw Failure(call: "recvfrom", number: errno) }
        let (address, port) = Self.split(sender)
        return (String(decoding: bytes.prefix(count), as: UTF8.self), address, port)
    }

    private static func socketAddress(_ text: String, _ port: UInt16) -> sockaddr_storage {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            if text.contains(":") {
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                inet_pton(AF_INET6, text, &address.sin6_addr)
                bytes.storeBytes(of: address, as: sockaddr_in6.self)
            } else {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                inet_pton(AF_INET, text, &address.sin_addr)
                bytes.storeBytes(of: address, as: sockaddr_in.self)
            }
        }
        return storage
    }

    private static func size(of storage: sockaddr_storage) -> socklen_t {
        let isIPv6 = storage.ss_family == sa_family_t(AF_INET6)
        return socklen_t(isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
    }

    private static func split(_ storage: sockaddr_storage) -> (address: String, port: UInt16) {
        withUnsafeBytes(of: storage) { bytes in
            if storage.ss_family == sa_family_t(AF_INET6) {
                let address = bytes.load(as: sockaddr_in6.self)
                let bits = withUnsafeBytes(of: address.sin6_addr) { $0.loadUnaligned(as: UInt128.self) }
                return ("\(IPv6Address(bits: UInt128(bigEndian: bits)))", UInt16(bigEndian: address.sin6_port))
            }
            let address = bytes.load(as: sockaddr_in.self)
            let bits = UInt32(bigEndian: address.sin_addr.s_addr)
            return ("\(IPv4Address(bits: bits))", UInt16(bigEndian: address.sin_port))
        }
    }
}
