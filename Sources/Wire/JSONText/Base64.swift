// SPDX-License-Identifier: Apache-2.0

/// Base64 (RFC 4648 section 4), the form in which the gateway carries keys and values.
enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// The value of each byte as a digit; 255 for one that is none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    static func append(_ data: some Collection<UInt8>, to text: inout [UInt8]) {
        let digits = digits
        var group: UInt32 = 0
        var count = 0
        for byte in data {
            group = group << 8 | UInt32(byte)
            count += 1
            if count == 3 {
                text.append(digits[Int(group >> 18)])
                text.append(digits[Int(group >> 12 & 63)])
                text.append(digits[Int(group >> 6 & 63)])
                text.append(digits[Int(group & 63)])
                (group, count) = (0, 0)
            }
        }
        switch count {
        case 1:
            text.append(digits[Int(group >> 2)])
            text.append(digits[Int(group << 4 & 63)])
            text.append(contentsOf: "==".utf8)
        case 2:
            text.append(digits[Int(group >> 10)])
            text.append(digits[Int(group >> 4 & 63)])
            text.append(digits[Int(group << 2 & 63)])
            text.append(UInt8(ascii: "="))
        default: break
        }
    }

    /// `nil` where the text is not base64; padding may be missing.
    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var text = text
        while text.last == UInt8(ascii: "="), text.count % 4 != 1 { text.removeLast() }
        guard text.count % 4 != 1 else { return nil }
        let values = values
        var isValid = true
        let result = unsafe [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 2) { buffer, count in
            var group: UInt32 = 0
            var digits = 0
            for digit in text {
                let value = values[Int(digit)]
                if value == 255 { isValid = false }
                group = group << 6 | UInt32(value & 63)
                digits += 1
                if digits == 4 {
                    unsafe buffer[count] = UInt8(truncatingIfNeeded: group >> 16)
                    unsafe buffer[count + 1] = UInt8(truncatingIfNeeded: group >> 8)
                    unsafe buffer[count + 2] = UInt8(truncatingIfNeeded: group)
                    count += 3
                    (group, digits) = (0, 0)
                }
            }
            if digits >= 2 {
                unsafe buffer[count] = UInt8(truncatingIfNeeded: group >> (digits == 2 ? 4 : 10))
                count += 1
            }
            if digits == 3 {
                unsafe buffer[count] = UInt8(truncatingIfNeeded: group >> 2)
                count += 1
            }
        }
        return isValid ? result : nil
    }
}
