"""Addresses for hosts, from one expression for all of them."""

from __future__ import annotations

import ipaddress

from ..errors import UsageError
from .hostset import HostSet

_WANTED = "an address for each host, and the bits of their network: 10.1.1.[1-3]/24"


def pair_addresses(hosts: HostSet, expression: str) -> dict[str, str]:
    """Each host, in order, with the address that ``10.1.1.[1-3]/24`` has for it: ``10.1.1.1/24``.

    Raises
    ------
    UsageError
        These are no addresses of hosts, there are more or fewer than hosts, or the bits of the network are missing.
    """
    text, _, bits = expression.partition("/")
    if not bits.isdecimal():
        raise UsageError(f"{expression!r} does not tell how large the network is", hint=_WANTED)
    addresses = HostSet.parse(text)
    for address in addresses:
        try:
            network = ipaddress.ip_interface(f"{address}/{bits}").network
        except ValueError:
            raise UsageError(f"{address}/{bits} is no address with the bits of its network", hint=_WANTED) from None
        ends = (network.network_address, network.broadcast_address)
        if network.prefixlen < 31 and ipaddress.ip_address(address) in ends:
            raise UsageError(f"{address} is no host's address: it stands for the network {network}", hint=_WANTED)
    if len(addresses) != len(hosts):
        raise UsageError(
            f"{len(hosts)} hosts and {len(addresses)} addresses do not make pairs",
            hint=f"the hosts are {hosts}: name as many, in their order",
        )
    return {host: f"{address}/{bits}" for host, address in zip(hosts, addresses, strict=True)}
