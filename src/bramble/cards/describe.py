"""From a cluster and what is asked of its cards to the description of each host."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import replace

from ..errors import UsageError
from ..model import CardOptions, Cluster, Customisation, Host, Wifi, pair_addresses
from .host_key import make_host_key

#: Raspberry Pi's firmware puts ``cgroup_disable=memory`` before it, and the later word wins.
MEMORY = "cgroup_enable=memory"

#: Whom cards let in where nobody else is named.
USER = "pi"

#: What stands for an address where none of its own is wanted any more.
DHCP = "dhcp"


def with_addresses(cluster: Cluster, text: str) -> tuple[Cluster, int]:
    """The cluster with an address for each host, and the bits of their network.

    Parameters
    ----------
    text
        ``10.1.1.[1-3]/24``: as many as there are hosts, in their order; or ``dhcp``.

    Raises
    ------
    UsageError
        These are no addresses, not as many as hosts, or two hosts would have the same.
    """
    if text == DHCP:
        return replace(cluster, hosts=tuple(replace(host, address="") for host in cluster.hosts)), 0
    pairs = {host: address.split("/") for host, address in pair_addresses(cluster.hostset, text).items()}
    hosts = tuple(replace(host, address=pairs[host.name][0]) for host in cluster.hosts)
    return replace(cluster, hosts=hosts), int(pairs[hosts[0].name][1])


def customisations(
    cluster: Cluster,
    options: CardOptions,
    *,
    keys: Iterable[str] = (),
    password: str = "",
    psk: str = "",
) -> dict[str, Customisation]:
    """What each host's card makes of it; each gets a host key that nobody else has.

    Parameters
    ----------
    keys
        Public keys that let the user in.
    password
        The user's, hashed; empty for none.
    psk
        The wireless network's key.
    """
    arguments = (MEMORY,) * options.cgroups + options.kernel_arguments
    wifi = Wifi(ssid=options.wifi, psk=psk, country=options.wifi_country, hidden=options.wifi_hidden)
    return {
        host.name: Customisation(
            hostname=host.name,
            instance=f"{host.name}-{secrets.token_hex(6)}",
            user=host.user or USER,
            password=password,
            keys=tuple(keys),
            sudo_asks=options.sudo_asks,
            address=static_address(host, options),
            gateway=options.gateway,
            dns=options.dns,
            interface=options.interface or ("wlan0" if options.wifi else "eth0"),
            wifi=wifi if options.wifi else None,
            locale=options.locale,
            keyboard=options.keyboard,
            timezone=options.timezone,
            radios=options.radios,
            kernel_arguments=arguments,
            host_keys=(make_host_key(f"root@{host.name}"),),
        )
        for host in cluster.hosts
    }


def static_address(host: Host, options: CardOptions) -> str:
    """``10.1.1.1/24``; empty where DHCP gives the host its address.

    Raises
    ------
    UsageError
        The cluster file knows the host by a name, which no card can give it for an address.
    """
    if not options.prefix:
        return ""
    try:
        ipaddress.ip_address(host.address)
    except ValueError:
        raise UsageError(
            f"{host.name} has no address of its own, and the other cards of this cluster got one",
            hint="--address 10.1.1.3/24; or, to have DHCP give it one: --address dhcp",
        ) from None
    return f"{host.address}/{options.prefix}"
