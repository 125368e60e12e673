"""What the kernel tells of this host's network: who listens where, and which networks it is in."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable

#: Who gives interfaces their addresses on these systems.
NETWORK_MANAGER, NETPLAN, DHCPCD = "NetworkManager", "netplan", "dhcpcd"

#: The state of a socket that waits for connections, in /proc/net/tcp.
_LISTENS = "0A"


def listeners(ports: "Iterable[int]", read: "Callable[[str], str]", root: str = "/") -> "dict[str, str]":
    """Which of these TCP ports are taken, and by whom: ``{"6443": "python3 (pid 812, web.service)"}``.

    At which address somebody listens does not matter: who wants all addresses cannot have the port beside that.
    """
    wanted = set(ports)
    sockets: dict[str, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6") if wanted else ():
        for row in read(table).splitlines()[1:]:
            words = row.split()
            port = int(words[1].rpartition(":")[2], 16)
            if words[3] == _LISTENS and port in wanted:
                sockets[f"socket:[{words[9]}]"] = port
    holders = _holders(sockets, read, root) if sockets else {}
    return {str(port): holders.get(name, "a program that cannot be seen") for name, port in sorted(sockets.items())}


def _holders(sockets: "dict[str, int]", read: "Callable[[str], str]", root: str) -> "dict[str, str]":
    found: dict[str, str] = {}
    processes = os.path.join(root, "proc")
    for pid in sorted(filter(str.isdigit, os.listdir(processes)), key=int):
        folder = os.path.join(processes, pid, "fd")
        for name in (sockets.keys() - found.keys()) & _held(folder):
            program = read(f"/proc/{pid}/comm").strip()
            units = re.findall(r"/([^/\n]+\.service)(?=/|$)", read(f"/proc/{pid}/cgroup"), re.MULTILINE)
            found[name] = f"{program} (pid {pid}{', ' + units[-1] if units else ''})"
    return found


def _held(folder: str) -> "set[str]":
    """What a process has open. One that ended meanwhile, or of somebody else where we are not root, shows nothing."""
    found = set()
    with contextlib.suppress(OSError):
        for number in os.listdir(folder):
            with contextlib.suppress(OSError):
                found.add(os.readlink(os.path.join(folder, number)))
    return found


def outward(read: "Callable[[str], str]") -> str:
    """The interface of the default route, of several the one that the kernel prefers.

    Without one, the interface of the only network; empty where that is not to be told.
    """
    routes = [row.split() for row in read("/proc/net/route").splitlines()[1:]]
    default = [(int(words[6]), words[0]) for words in routes if int(words[1], 16) == int(words[7], 16) == 0]
    if default:
        return min(default)[1]
    others = set(networks(read).values())
    return others.pop() if len(others) == 1 else ""


def manager(interface: str, read: "Callable[[str], str]") -> str:
    """What gives an interface its address: `NETWORK_MANAGER`, `NETPLAN` or `DHCPCD`; empty for something else."""
    index = read(f"/sys/class/net/{interface}/ifindex").strip() if interface else ""
    if not index:
        return ""
    if "NETWORK_FILE=/run/systemd/network/10-netplan-" in read(f"/run/systemd/netif/links/{index}"):
        return NETPLAN
    if "managed=true" in read(f"/run/NetworkManager/devices/{index}").split():
        return NETWORK_MANAGER
    # Its files of before and of after version 10; on Debian one daemon looks after all interfaces.
    names = ("dhcpcd.pid", "dhcpcd/pid", f"dhcpcd-{interface}.pid", f"dhcpcd/{interface}.pid")
    return DHCPCD if any(read(f"/run/{name}") for name in names) else ""


def networks(read: "Callable[[str], str]") -> "dict[str, str]":
    """IPv4 networks that this host reaches without a gateway, and by which interface: ``{"10.1.1.0/24": "eth0"}``."""
    found: dict[str, str] = {}
    for row in read("/proc/net/route").splitlines()[1:]:
        interface, destination, gateway, *_, mask = row.split()[:8]
        length = bin(int(mask, 16)).count("1")
        if int(gateway, 16) == 0 and 0 < length < 32:
            number = bytes.fromhex(destination)[::-1]
            found[f"{'.'.join(map(str, number))}/{length}"] = interface
    return found
