"""A script that systemd runs once, before anything else: Raspberry Pi OS 11, 12, and 13 up to October 2025."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from importlib.resources import files

from ...model import Customisation
from . import kernel, profiles
from .boot_files import BootFiles
from .radios import without_radios

_SCRIPT = "firstrun.sh"

#: How the kernel's command line has systemd run it, as Imager writes it: Raspberry Pi OS 12 looks for just this, and
#: makes it the path that the partition has there, /boot/firmware.
_RUN = (
    f"systemd.run=/boot/{_SCRIPT}",
    "systemd.run_success_action=reboot",
    "systemd.unit=kernel-command-line.target",
)

#: Words of a card that was made before; the path may have been mended since.
_BEFORE = ("systemd.run=", "systemd.run_success_action=", "systemd.unit=kernel-command-line.target")

#: Which channels may be used: a word that all kernels take, and by which Raspberry Pi OS unlocks the radio.
COUNTRY = "cfg80211.ieee80211_regdom="


def customise(wanted: Customisation, boot: BootFiles) -> dict[str, str]:
    """The script, and the command line that runs it; config.txt where radios go off."""
    country = [f"{COUNTRY}{wanted.wifi.country}"] if wanted.wifi else []
    # Those that only the script needs come last: what cleans up after Imager takes all behind the first of them away.
    arguments = kernel.edited(
        boot.text("cmdline.txt"),
        drop=(*_BEFORE, COUNTRY) if country else _BEFORE,
        add=(*wanted.kernel_arguments, *country, *_RUN),
    )
    made = {_SCRIPT: script(wanted), "cmdline.txt": arguments}
    if not wanted.radios:
        made["config.txt"] = without_radios(boot.text("config.txt"))
    return made


def script(wanted: Customisation) -> str:
    """firstrun.sh: what is wanted as assignments, and the one text that carries it out."""
    body = (files(__package__) / "files" / _SCRIPT).read_text(encoding="utf-8")
    return "\n".join(["#!/bin/bash", *_assignments(wanted)]) + "\n" + body


def _assignments(wanted: Customisation) -> Iterable[str]:
    yield f"# {wanted.hostname}: what this host becomes at its first start, written by bramble."
    yield _assign("hostname", wanted.hostname)
    yield _assign("user", wanted.user)
    yield _assign("password", wanted.password)
    yield _assign_list("authorized_keys", wanted.keys)
    yield _assign("sudo_asks", "yes" if wanted.sudo_asks else "")
    yield _assign_list("host_key_kinds", (key.kind for key in wanted.host_keys))
    yield _assign_list("host_key_private", (key.private for key in wanted.host_keys))
    yield _assign_list("host_key_public", (key.public for key in wanted.host_keys))
    yield _assign_map("profiles", profiles.network_manager(wanted))
    yield _assign("dhcpcd_lines", profiles.dhcpcd(wanted))
    yield _assign("wpa_supplicant", profiles.wpa_supplicant(wanted.wifi) if wanted.wifi else "")
    yield _assign("locale", wanted.locale)
    yield _assign("keyboard", wanted.keyboard)
    yield _assign("timezone", wanted.timezone)


def _assign(name: str, value: str) -> str:
    return f"{name}={_quoted(value)}"


def _assign_list(name: str, values: Iterable[str]) -> str:
    return f"{name}=({' '.join(map(_quoted, values))})"


def _assign_map(name: str, values: Mapping[str, str]) -> str:
    return f"declare -A {name}=({' '.join(f'[{key}]={_quoted(value)}' for key, value in values.items())})"


def _quoted(value: str) -> str:
    # Always in quotes: no line of the script may look (``rm`` … ``firstrun.sh`` at its end) like the beginning of the
    # clean-up, from which on Raspberry Pi OS 12 puts its own in the script's place.
    quoted = shlex.quote(value)
    return quoted if quoted.startswith("'") else f"'{value}'"
