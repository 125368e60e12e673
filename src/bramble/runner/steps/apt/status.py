"""What is installed, read from dpkg's own files: no process is started for it."""

from __future__ import annotations

import os
import re

from ...dataclass import dataclass
from ...step import StepError
from ...system import System

STATUS = "/var/lib/dpkg/status"
INFO = "/var/lib/dpkg/info"

#: Key of `System.cache`; whoever lets dpkg work forgets it with `forget`.
CACHE = "dpkg"

#: States in which nothing of a package is on the disk but perhaps its configuration.
ABSENT = ("not-installed", "config-files")

_STATE = re.compile(r"^Package: (\S+)\n(?:(?!Package:|Status:)\S.*\n)*?Status: \S+ \S+ (\S+)$", re.MULTILINE)


def states(system: System) -> "dict[str, str]":
    """The state of each package dpkg knows, in its words: ``installed``, ``config-files``, ``half-configured``.

    A package that is there for several architectures has the state that is nearest to ``installed``.
    """
    if CACHE not in system.cache:
        found: dict[str, str] = {}
        for name, state in _STATE.findall(_text(system)):
            if found.get(name) != "installed":
                found[name] = state
        system.cache[CACHE] = found
    known: dict[str, str] = system.cache[CACHE]
    return known


def forget(system: System) -> None:
    """Read it again next time."""
    system.cache.pop(CACHE, None)


def present(system: System) -> "set[str]":
    """Packages of which something is on the disk, properly installed or not."""
    return {name for name, state in states(system).items() if state not in ABSENT}


def interrupted(system: System) -> bool:
    """Whether dpkg was cut in the middle: then it must finish before it does anything else."""
    updates = system.path("/var/lib/dpkg/updates")
    if os.path.isdir(updates) and any(name.isdigit() for name in os.listdir(updates)):
        return True
    whole = ("installed", *ABSENT)
    return any(state not in whole for state in states(system).values())


@dataclass(frozen=True)
class Package:
    """An installed package.

    Attributes
    ----------
    depends
        A tuple of alternatives for each dependency; versions are left out.
    provides
        Names it answers to besides its own.
    configuration
        Its configuration files, with the MD5 of the content they were delivered with, by which dpkg tells edited ones.
    """

    name: str
    depends: "tuple[tuple[str, ...], ...]"
    provides: "tuple[str, ...]"
    configuration: "tuple[tuple[str, str], ...]" = ()


def installed(system: System) -> "dict[str, Package]":
    """All that is on the disk, with what it depends on."""
    found = {}
    for paragraph in _text(system).split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): *(.*)$", paragraph, re.MULTILINE))
        if not fields or fields.get("Status", "").split()[-1:] in ([], [ABSENT[0]], [ABSENT[1]]):
            continue
        depends = ", ".join(fields[key] for key in ("Pre-Depends", "Depends") if fields.get(key))
        found[fields["Package"]] = Package(
            fields["Package"],
            tuple(tuple(_names(group, "|")) for group in depends.split(",") if group.strip()),
            tuple(_names(fields.get("Provides", ""), ",")),
            tuple(re.findall(r"^ (/.*) ([0-9a-f]{32})(?: obsolete)?$", paragraph, re.MULTILINE)),
        )
    return found


def _names(text: str, separator: str) -> "list[str]":
    """Names without versions and architectures: ``libc6 (>= 2.36) | python3:any`` gives libc6 and python3."""
    return [part.split("(")[0].split(":")[0].strip() for part in text.split(separator) if part.strip()]


def automatic(system: System) -> "set[str]":
    """Packages that apt installed only because others needed them."""
    try:
        with open(system.path("/var/lib/apt/extended_states")) as file:
            text = file.read()
    except FileNotFoundError:
        return set()  # apt makes it with the first such package
    paragraphs = (dict(re.findall(r"^([\w-]+): (.*)$", part, re.MULTILINE)) for part in text.split("\n\n"))
    return {fields["Package"] for fields in paragraphs if fields.get("Auto-Installed") == "1"}


def files_of(system: System, names: "set[str]") -> "set[str]":
    """Paths that packages brought."""
    found: set[str] = set()
    folder = system.path(INFO)
    for file in os.listdir(folder) if names and os.path.isdir(folder) else ():
        if file.endswith(".list") and file[: -len(".list")].split(":")[0] in names:
            with open(os.path.join(folder, file)) as opened:
                found.update(opened.read().splitlines())
    return found


def _text(system: System) -> str:
    try:
        with open(system.path(STATUS), encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        raise StepError(
            "this host has no dpkg, so packages cannot be installed",
            hint="bramble works on Raspberry Pi OS, Debian and Ubuntu",
        ) from None
