"""What a card would boot as: read from the files that say so, whoever wrote them."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..errors import BrambleError
from . import look
from .blocks import Blocks
from .host_key import fingerprint
from .init_format import InitFormat
from .personalise import open_boot, settings


@dataclass(frozen=True, kw_only=True)
class CardContent:
    """What a card tells. What it leaves to the system's own ways is empty.

    Attributes
    ----------
    way
        How its system takes its customisation.
    label
        Of its boot partition.
    made
        What its makers noted, such as ``Raspberry Pi reference 2025-11-24``.
    hostname, user, locale, keyboard, timezone
        What the host becomes.
    address, gateway
        ``10.1.1.1/24`` and ``10.1.1.254``; empty for DHCP.
    wifi
        The name of the wireless network that it joins.
    keys
        Fingerprints of the public keys that let the user in.
    host_keys
        Fingerprints of the host keys that were put on it.
    kernel
        The kernel's command line.
    started
        Whether it has booted since: then it no longer holds what only the first start needs.
    """

    way: InitFormat
    label: str
    made: str = ""
    hostname: str = ""
    user: str = ""
    address: str = ""
    gateway: str = ""
    wifi: str = ""
    keys: tuple[str, ...] = ()
    host_keys: tuple[str, ...] = ()
    locale: str = ""
    keyboard: str = ""
    timezone: str = ""
    kernel: str = ""
    started: bool = False


def read_back(blocks: Blocks) -> CardContent:
    """Look at a card.

    Raises
    ------
    BrambleError
        It holds no system for a Pi, was not finished, or its files make no sense.
    OSError
        It cannot be read.
    """
    if not any(blocks.read(0, 512)):
        raise BrambleError(
            "nothing starts from it: its beginning is empty",
            why="it is blank, or burning it was cut off",
            hint="bramble cards burn",
        )
    volume = open_boot(blocks)
    way, files = look.of(volume), settings(volume)
    if "firstrun.sh" in {name.casefold() for name in volume.files()}:
        files["firstrun.sh"] = volume.read("firstrun.sh")
    texts = {name: content.decode("utf-8", "replace") for name, content in files.items()}
    line = texts.get("current/cmdline.txt") or texts.get("cmdline.txt", "")
    common: dict[str, Any] = {
        "way": way,
        "label": volume.label,
        "made": texts.get("issue.txt", "").partition("\n")[0].strip(),
        "kernel": line.strip(),
    }
    if way in (InitFormat.CLOUDINIT, InitFormat.CLOUDINIT_RPI):
        return CardContent(**common, **_cloud_init(texts))
    if "firstrun.sh" in texts:
        return CardContent(**common, **_firstrun(texts["firstrun.sh"]))
    return CardContent(**common, started=way is InitFormat.SYSTEMD and "systemd.run=" not in line)


def _cloud_init(texts: Mapping[str, str]) -> dict[str, Any]:
    data, network = _yaml(texts, "user-data"), _yaml(texts, "network-config")
    user = data.get("user")
    user = user if isinstance(user, dict) else {}
    wired, wireless = (_first(network.get(kind)) for kind in ("ethernets", "wifis"))
    addresses = [str(one) for nic in (wired, wireless) for one in nic.get("addresses") or []]
    routes = [str(route.get("via", "")) for nic in (wired, wireless) for route in nic.get("routes") or []]
    return {
        "hostname": str(data.get("hostname", "")),
        "user": str(user.get("name", "")),
        "address": addresses[0] if addresses else "",
        "gateway": routes[0] if routes else "",
        "wifi": next(iter(wireless.get("access-points") or {}), ""),
        "keys": _fingerprints(user.get("ssh_authorized_keys") or ()),
        "host_keys": _fingerprints(v for k, v in (data.get("ssh_keys") or {}).items() if k.endswith("_public")),
        "locale": str(data.get("locale", "")),
        "keyboard": str((data.get("keyboard") or {}).get("layout", "")),
        "timezone": str(data.get("timezone", "")),
        "started": bool(data) and "ssh_deletekeys" not in data,
    }


def _first(interfaces: Any) -> dict[str, Any]:
    found = next(iter(interfaces.values()), None) if isinstance(interfaces, dict) else None
    return found if isinstance(found, dict) else {}


def _yaml(texts: Mapping[str, str], name: str) -> dict[str, Any]:
    try:
        data = YAML(typ="safe", pure=True).load(texts.get(name, ""))
    except YAMLError as error:
        why = " ".join(str(error).split())
        raise BrambleError(f"{name} on its boot partition makes no sense", why=why, hint="burn it anew") from None
    if isinstance(data, dict):
        return data.get("network", data) if name == "network-config" else data
    return {}


def _firstrun(script: str) -> dict[str, Any]:
    told = dict(_assigned(script))

    def one(name: str) -> str:
        return next(iter(told.get(name, ())), "")

    profiles = "\n".join(told.get("profiles", ()))
    lines = one("dhcpcd_lines")
    address = _search(r"address1=([^,\n]+)", profiles) or _search(r"static ip_address=(\S+)", lines)
    gateway = _search(r"address1=[^,\n]+,(\S+)", profiles) or _search(r"static routers=(\S+)", lines)
    ssid = _search(r"ssid=([0-9a-f]+)", one("wpa_supplicant"))
    return {
        "hostname": one("hostname"),
        "user": one("user"),
        "address": address,
        "gateway": gateway,
        "wifi": bytes.fromhex(ssid).decode("utf-8", "replace"),
        "keys": _fingerprints(told.get("authorized_keys", ())),
        "host_keys": _fingerprints(told.get("host_key_public", ())),
        "locale": one("locale"),
        "keyboard": one("keyboard"),
        "timezone": one("timezone"),
    }


def _search(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _fingerprints(lines: Iterable[Any]) -> tuple[str, ...]:
    """Of public keys, with or without options before them; what is none is passed over."""
    found = []
    for line in lines:
        words = str(line).split()
        for number, word in enumerate(words[:-1]):
            if word.startswith(("ssh-", "ecdsa-", "sk-")):
                with contextlib.suppress(ValueError):
                    found.append(fingerprint(" ".join(words[number : number + 2])))
                break
    return tuple(found)


#: A value as `shlex.quote` writes it, and an assignment of one, or of several in brackets, as firstrun.sh begins with.
_QUOTED = r"""(?:'[^']*'|"'")+"""
_ASSIGNMENT = re.compile(
    rf"^(?:declare -A )?(?P<name>[a-z_]+)=(?:(?P<one>{_QUOTED})|\((?P<several>(?:(?:\[\w+\]=)?{_QUOTED} ?)*)\))$",
    re.MULTILINE,
)


def _assigned(script: str) -> Iterator[tuple[str, list[str]]]:
    """The assignments that the script begins with: name → its words; one where it is no list."""
    for found in _ASSIGNMENT.finditer(script):
        yield found["name"], shlex.split(found["one"] or re.sub(r"(^| )\[\w+\]=", " ", found["several"]))
