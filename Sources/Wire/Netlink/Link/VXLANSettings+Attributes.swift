// SPDX-License-Identifier: Apache-2.0

import IPAddressing

extension VXLANChange {
    func put(into builder: inout MessageBuilder) {
        if let underlay { builder.attribute(VXLANAttribute.underlay, underlay) }
        if let local { put(local, into: &builder) }
        if let learning { builder.attribute(VXLANAttribute.learning, UInt8(learning ? 1 : 0)) }
    }

    private func put(_ local: IPAddress, into builder: inout MessageBuilder) {
        switch local {
        case .v4: builder.attribute(VXLANAttribute.localIPv4, local)
        case .v6: builder.attribute(VXLANAttribute.localIPv6, local)
        }
    }
}

extension VXLANSettings {
    func put(into builder: inout MessageBuilder) {
        VXLANChange(underlay: underlay).put(into: &builder)
        if gbp { builder.flag(VXLANAttribute.gbp) }
        builder.attribute(VXLANAttribute.vni, vni)
        VXLANChange(local: local, learning: learning).put(into: &builder)
        builder.attribute(VXLANAttribute.port, port.bigEndian)
        if case .v4(let group)? = group { builder.attribute(VXLANAttribute.group, group) }
        if isExternal { builder.attribute(VXLANAttribute.collectMetadata, UInt8(1)) }
    }

    init(_ reader: consuming AttributeReader) {
        self.init(vni: 0, port: 0)
        while let attribute = reader.next() {
            switch attribute.type {
            case VXLANAttribute.vni: vni = attribute.uint32 ?? 0
            case VXLANAttribute.underlay: underlay = attribute.uint32.flatMap { $0 == 0 ? nil : $0 }
            case VXLANAttribute.localIPv4, VXLANAttribute.localIPv6: local = attribute.address
            case VXLANAttribute.group: group = attribute.address
            case VXLANAttribute.learning: learning = attribute.uint8 ?? 0 != 0
            case VXLANAttribute.port: port = attribute.bigEndian16 ?? 0
            case VXLANAttribute.gbp: gbp = true
            case VXLANAttribute.collectMetadata: isExternal = attribute.uint8 ?? 0 != 0
            default: break
            }
        }
    }
}
