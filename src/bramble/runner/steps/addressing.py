"""How each of those who give an interface its address is told a fixed one."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import tempfile
import uuid
from typing import Any, Optional

from ..dataclass import dataclass
from ..network import DHCPCD, NETPLAN, NETWORK_MANAGER
from ..step import StepError
from ..system import System
from .filesystem import look

#: Where each of them is told.
PROFILES = "/etc/NetworkManager/system-connections"
PLANS = "/etc/netplan"
DHCPCD_CONF = "/etc/dhcpcd.conf"

#: Around our lines in dhcpcd.conf.
_BEGIN, _END = "# bramble: a fixed address", "# bramble: end"

#: What a block of dhcpcd.conf must not say besides.
_STATIC = re.compile(r"\s*static\s+(ip_address|routers|domain_name_servers)\s*=")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An address as a manager needs to know it; ``address`` has the length of its network."""

    interface: str
    address: str
    gateway: str
    dns: "tuple[str, ...]"


@dataclass(frozen=True, kw_only=True)
class Way:
    """Files as they shall be (None: not at all), and the commands that bring them, or those of before, in force."""

    files: "dict[str, Optional[tuple[str, int]]]"
    forth: "tuple[tuple[str, ...], ...]"
    back: "tuple[tuple[str, ...], ...]"


def way(system: System, manager: str, wanted: Wanted) -> Way:
    """How a manager is told.

    Raises
    ------
    StepError
        It is none of those that are known, or it cannot be told.
    """
    ways = {NETWORK_MANAGER: _network_manager, NETPLAN: _netplan, DHCPCD: _dhcpcd}
    if manager not in ways:
        raise StepError(
            f"nobody that bramble knows gives {wanted.interface or 'its interface'} an address",
            why="neither NetworkManager nor netplan nor dhcpcd manages it",
            hint="look there: networkctl; nmcli device; cat /etc/network/interfaces",
        )
    return ways[manager](system, wanted)


def read_file(system: System, path: str) -> "Optional[tuple[str, int]]":
    """Text and mode of a file; None where there is none."""
    found = look(system.path(path))
    if found is None:
        return None
    with open(system.path(path), encoding="utf-8", errors="surrogateescape") as file:
        return file.read(), found["mode"]


def _network_manager(system: System, wanted: Wanted) -> Way:
    name = f"bramble-{wanted.interface}"
    # Always the same, so that the file is; NetworkManager wants one.
    number = uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.bramble")
    gateway = f",{wanted.gateway}" if wanted.gateway else ""
    lines = [
        "[connection]",
        f"id={name}",
        f"uuid={number}",
        "type=ethernet",
        f"interface-name={wanted.interface}",
        "autoconnect-priority=999",
        "",
        "[ipv4]",
        "method=manual",
        f"address1={wanted.address}{gateway}",
        *([f"dns={''.join(f'{server};' for server in wanted.dns)}"] if wanted.dns else []),
        "",
        "[ipv6]",
        "method=auto",
    ]
    before = _profile(system, wanted.interface)
    again = ("nmcli", "connection", "up", before) if before else ("nmcli", "device", "connect", wanted.interface)
    reload = ("nmcli", "connection", "reload")
    return Way(
        files={f"{PROFILES}/{name}.nmconnection": ("\n".join(lines) + "\n", 0o600)},
        forth=(reload, ("nmcli", "connection", "up", name)),
        back=(reload, again),
    )


def _profile(system: System, interface: str) -> str:
    """The profile that is in force now, by its number."""
    index = (read_file(system, f"/sys/class/net/{interface}/ifindex") or ("", 0))[0].strip()
    state = (read_file(system, f"/run/NetworkManager/devices/{index}") or ("", 0))[0]
    found = re.search(r"^connection-uuid=(\S+)$", state, re.MULTILINE)
    return found[1] if found else ""


def _netplan(system: System, wanted: Wanted) -> Way:
    ours = f"{PLANS}/90-bramble.yaml"
    interface: dict[str, Any] = {"dhcp4": False, "addresses": [wanted.address]}
    if wanted.gateway:
        interface["routes"] = [{"to": "default", "via": wanted.gateway}]
    if wanted.dns:
        interface["nameservers"] = {"addresses": list(wanted.dns)}
    # JSON is YAML, and needs no library to be written.
    plan = {"network": {"version": 2, "ethernets": {wanted.interface: interface}}}
    files = _plans_without(system, wanted.interface)
    files[ours] = (f"# Written by bramble.\n{json.dumps(plan, indent=2)}\n", 0o600)
    apply = (("netplan", "apply"),)
    return Way(files=files, forth=apply, back=apply)


def _plans_without(system: System, interface: str) -> "dict[str, Optional[tuple[str, int]]]":
    """The other plans without this interface: netplan adds up what several files say of one.

    It edits them itself, in a copy.
    """
    paths = sorted(glob.glob(system.path(f"{PLANS}/*.yaml")))
    if not any(interface in (read_file(system, f"{PLANS}/{os.path.basename(path)}") or ("",))[0] for path in paths):
        return {}
    with tempfile.TemporaryDirectory() as root:
        copy = root + PLANS
        shutil.copytree(system.path(PLANS), copy)
        argv = ["netplan", "set", f"--root-dir={root}", f"network.ethernets.{interface}=NULL"]
        system.must(argv, "netplan could not leave the interface out of its other files")
        changed: dict[str, Optional[tuple[str, int]]] = {}
        for name in map(os.path.basename, paths):
            before = read_file(system, f"{PLANS}/{name}")
            path = os.path.join(copy, name)
            after = None
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="surrogateescape") as file:
                    after = file.read()
            if before is not None and after != before[0]:
                changed[f"{PLANS}/{name}"] = None if after is None else (after, before[1])
    return changed


def _dhcpcd(system: System, wanted: Wanted) -> Way:
    now = read_file(system, DHCPCD_CONF) or ("", 0o644)
    kept = []
    ours = inside = False
    for line in now[0].splitlines():
        words = line.split()
        if words[:1] in (["interface"], ["ssid"], ["profile"]):
            inside = words[1:2] == [wanted.interface]
        ours = ours or line == _BEGIN
        if not ours and not (inside and _STATIC.match(line)):
            kept.append(line)
        ours = ours and line != _END
    lines = [
        _BEGIN,
        f"interface {wanted.interface}",
        f"static ip_address={wanted.address}",
        *([f"static routers={wanted.gateway}"] if wanted.gateway else []),
        *([f"static domain_name_servers={' '.join(wanted.dns)}"] if wanted.dns else []),
        _END,
    ]
    # What it set up before would stay beside the new: by default it leaves addresses where they are when it ends.
    anew = (
        ("systemctl", "stop", "dhcpcd"),
        ("ip", "-4", "address", "flush", "dev", wanted.interface),
        ("systemctl", "start", "dhcpcd"),
    )
    return Way(files={DHCPCD_CONF: ("\n".join([*kept, *lines]) + "\n", now[1])}, forth=anew, back=anew)
