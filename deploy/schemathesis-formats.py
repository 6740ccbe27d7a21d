# SPDX-License-Identifier: Apache-2.0
"""What a schema can't say, told to Schemathesis: strings whose rules are arithmetic, not grammar."""

import ipaddress

import schemathesis
from hypothesis import strategies as st


@st.composite
def ipv4_blocks(draw, network="10.244.0.0/16", lengths=(16, 32)):
    """Blocks that begin where a block of their length begins."""
    whole = ipaddress.ip_network(network)
    length = draw(st.integers(*lengths))
    size = 1 << (32 - length)
    return ipaddress.ip_network((int(whole[0]) + draw(st.integers(0, whole.num_addresses // size - 1)) * size, length))


# The network that deploy/schemathesis sets up, and some of what is outside of it.
blocks = st.one_of(ipv4_blocks(lengths=(24, 24)), ipv4_blocks(), ipv4_blocks("0.0.0.0/0", (8, 32)))
addresses = st.one_of(ipv4_blocks(lengths=(32, 32)).map(lambda b: b[0]), st.ip_addresses(v=4), st.ip_addresses(v=6))

schemathesis.openapi.format("cidr", blocks.map(str))
schemathesis.openapi.format("subnet", blocks.map(lambda b: str(b).replace("/", "-")))
schemathesis.openapi.format("ip", addresses.map(str))
schemathesis.openapi.format("ip-or-cidr", st.one_of(addresses, blocks).map(str))
# Only the endpoint makes them, and only for the list that they continue: LeasePagingTests has them.
schemathesis.openapi.format("continue-token", st.nothing())
