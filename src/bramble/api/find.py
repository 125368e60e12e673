"""Finding Pis on the local network: who answers to multicast DNS, and who is in the neighbour table."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import shutil
from dataclasses import dataclass

from ..errors import UsageError

#: First three bytes of Raspberry Pi network cards, from the IEEE's public registry of assignments
#: ("Raspberry Pi Foundation", "Raspberry Pi Trading Ltd", "Raspberry Pi (Trading) Ltd").
BOARDS = ("28:cd:c1", "2c:cf:67", "88:a2:9e", "b8:27:eb", "d8:3a:dd", "dc:a6:32", "e4:5f:01")

#: What Raspberry Pi OS and Ubuntu announce with avahi: a machine, or its sshd.
SERVICES = ("_ssh._tcp.local.", "_sftp-ssh._tcp.local.", "_workstation._tcp.local.", "_device-info._tcp.local.")


@dataclass(frozen=True, kw_only=True)
class FoundHost:
    """A machine on the local network.

    Attributes
    ----------
    name
        As it calls itself by multicast DNS, without ``.local``; empty where it says nothing.
    address
        Where it can be reached.
    mac
        Of its network card; empty where only multicast DNS knows it.
    raspberry
        Whether that card is a Raspberry Pi's. A Pi behind a USB adapter has another.
    sources
        ``mdns``, ``neighbours``, or both.
    """

    name: str
    address: str
    mac: str = ""
    raspberry: bool = False
    sources: tuple[str, ...] = ()


async def hosts_find(*, seconds: float = 3.0) -> tuple[FoundHost, ...]:
    """Machines on the local network that may be Pis, Raspberry Pis first.

    Nothing is connected to. The neighbour table only knows machines that this one has talked to lately.

    Parameters
    ----------
    seconds
        How long to listen for answers by multicast DNS.

    Raises
    ------
    UsageError
        Neither way works on this machine; says what to install.
    """
    neighbours, names = await asyncio.gather(_neighbours(), _announced(seconds))
    if neighbours is None and names is None:
        raise UsageError(
            "this machine can look neither into its neighbour table nor for multicast DNS",
            hint="sudo apt-get install iproute2; pip install 'pi-bramble[find]'",
        )
    found: dict[str, FoundHost] = {}
    for address, mac in (neighbours or {}).items():
        board = mac.startswith(BOARDS)
        found[address] = FoundHost(name="", address=address, mac=mac, raspberry=board, sources=("neighbours",))
    for address, name in (names or {}).items():
        known = found.get(address, FoundHost(name=name, address=address))
        found[address] = FoundHost(
            name=name, address=address, mac=known.mac, raspberry=known.raspberry, sources=("mdns", *known.sources)
        )
    return tuple(sorted(found.values(), key=lambda host: (not host.raspberry, _number(host.address))))


def _number(address: str) -> tuple[int, int]:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.version, int(parsed)


async def _neighbours() -> dict[str, str] | None:
    """Address → MAC of the neighbour table; None where this machine has no ``ip``."""
    if shutil.which("ip") is None:
        return None
    process = await asyncio.create_subprocess_exec(
        "ip", "-json", "neighbour", "show", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        return None
    entries = json.loads(output or b"[]")
    return {e["dst"]: e["lladdr"] for e in entries if "lladdr" in e and "FAILED" not in e.get("state", ())}


async def _announced(seconds: float) -> dict[str, str] | None:
    """Address → name of those who answer by multicast DNS; None where zeroconf is not installed."""
    try:
        from zeroconf import IPVersion, ServiceStateChange, Zeroconf  # noqa: PLC0415  (may be absent)
        from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf  # noqa: PLC0415
    except ImportError:
        return None  # an optional extra, because its licence is the LGPL
    heard: set[tuple[str, str]] = set()

    def note(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        if state_change is not ServiceStateChange.Removed:
            heard.add((service_type, name))

    found: dict[str, str] = {}
    async with AsyncZeroconf(ip_version=IPVersion.V4Only) as network:
        browser = AsyncServiceBrowser(network.zeroconf, list(SERVICES), handlers=[note])
        await asyncio.sleep(seconds)
        infos = [AsyncServiceInfo(kind, name) for kind, name in heard]
        await asyncio.gather(*(info.async_request(network.zeroconf, 1000) for info in infos))
        await browser.async_cancel()
    for info in infos:
        for address in info.parsed_addresses():
            found[address] = (info.server or info.name).removesuffix(".").removesuffix(".local")
    return found
