"""What a failure of apt or dpkg means, and what to do about it."""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Callable
from typing import Optional

from ...step import StepError, os_error
from ...system import Output, System


def explain(system: System, output: Output, what: str) -> StepError:
    """The error for what apt said. ``what`` was tried: ``munge could not be installed``."""
    text = f"{output.stdout}\n{output.stderr}"
    log = output.tail
    for pattern, make in _CAUSES:
        match = re.search(pattern, text, re.MULTILINE)
        if match:
            why, hint = make(system, match, text)
            return StepError(what, why=why, hint=hint, log=log)
    errors = [line[3:] for line in text.splitlines() if line.startswith("E: ")]
    return StepError(what, why=errors[0] if errors else f"apt-get ended with status {output.status}", log=log)


def unknown_package(output: Output) -> Optional[str]:
    """The package that apt's index does not have; None if the failure is another one."""
    match = re.search(_UNKNOWN, output.stderr + output.stdout)
    return (match.group(1) or match.group(2)) if match else None


def outdated(output: Output) -> bool:
    """Whether a fresh index may help: a package it does not have, or one that the mirror has replaced."""
    return unknown_package(output) is not None or bool(re.search(r"\b404\b", output.stderr))


def locked(output: Output) -> bool:
    """Whether somebody else was quicker to take a lock."""
    return bool(re.search(r"Could not get lock|Unable to (acquire|lock)", output.stderr))


def near(system: System, name: str) -> "list[str]":
    """Package names that ``name`` may have been meant to be."""
    known = system.run(["apt-cache", "pkgnames", name[:1]]).stdout.split()
    return difflib.get_close_matches(name, [other for other in known if abs(len(other) - len(name)) <= 4], n=3)


_UNKNOWN = r"Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate"
_Cause = Callable[[System, "re.Match[str]", str], "tuple[str, str]"]


def _unknown(system: System, match: "re.Match[str]", text: str) -> "tuple[str, str]":
    name = match.group(1) or match.group(2)
    if re.search(_MIRROR, text):
        return _mirror(system, match, text)
    meant = near(system, name)
    why = f"this release has no package {name}"
    return why, f"did you mean {' or '.join(meant)}?" if meant else f"look for it: apt-cache search {name}"


def _mirror(system: System, match: "re.Match[str]", text: str) -> "tuple[str, str]":
    said = re.search(_MIRROR, text)
    reason = said.group(0).strip() if said else ""
    found = re.search(r"(?:Err|Ign):\d+ \w+://([^/\s]+)|(?:resolv\w+|connect(?:ion)? to) '?([\w.-]+)", text)
    mirror = (found.group(1) or found.group(2)) if found else "its mirror"
    return (
        f"this host does not reach {mirror}: {reason}",
        f"check the network and name resolution there: getent hosts {mirror}; ip route",
    )


def _clock(system: System, match: "re.Match[str]", text: str) -> "tuple[str, str]":
    return (
        "the index of the mirror is dated in the future, so the clock of this host is behind",
        "set the clock: timedatectl; sudo systemctl restart systemd-timesyncd",
    )


def _of(number: int) -> _Cause:
    def make(system: System, match: "re.Match[str]", text: str) -> "tuple[str, str]":
        return _line(text, match), os_error(OSError(number, "")).hint

    return make


def _said(hint: str) -> _Cause:
    return lambda system, match, text: (_line(text, match), hint)


def _removal(system: System, match: "re.Match[str]", text: str) -> "tuple[str, str]":
    block = re.search(r"will be REMOVED:\n((?:  .*\n)+)", text)
    names = ", ".join(block.group(1).split()) if block else "others"
    return (
        f"{names} would have to be removed for it",
        f"bramble removes nothing it did not bring; if it may go: sudo apt-get remove {names.replace(',', '')}",
    )


def _unmet(system: System, match: "re.Match[str]", text: str) -> "tuple[str, str]":
    lines = re.findall(r"^ .*(?:Depends|Breaks|Conflicts): .*$", text, re.MULTILINE)
    return "; ".join(line.strip() for line in lines[:3]) or _line(text, match), "look at it there: sudo apt-get check"


def _script(system: System, match: "re.Match[str]", text: str) -> "tuple[str, str]":
    name = match.group(1)
    return (
        f"the package {name} cannot be set up or removed: {match.group(2).strip()}",
        f"the lines above it say why; then: sudo dpkg --configure -a; systemctl status {name.split(':')[0]}",
    )


def _line(text: str, match: "re.Match[str]") -> str:
    """The whole line that a match stands in."""
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    return re.sub(r"^[EW]: ", "", text[start : end if end >= 0 else None]).strip()


_MIRROR = (
    r"Could not resolve '[^']*'|Temporary failure resolving '[^']*'|Could not connect to [^.\n]*\.[^\s,]*|"
    r"Cannot initiate the connection to [^\s]*|Connection (?:timed out|refused|failed)|Network is unreachable|"
    r"No route to host|Unable to connect to [^\s]*"
)

#: The most particular first: a full disk also makes a package's script fail.
_CAUSES: "tuple[tuple[str, _Cause], ...]" = (
    (r"No space left on device|don't have enough free space", _of(errno.ENOSPC)),
    (r"Read-only file system", _of(errno.EROFS)),
    (r"is not valid yet", _clock),
    (_UNKNOWN, _unknown),
    (r"Packages need to be removed but remove is disabled", _removal),
    (r"Hash Sum mismatch", _said("a proxy spoils it, or the mirror is being updated: try again in some minutes")),
    (r"NO_PUBKEY|is not signed|EXPKEYSIG", _said("a package source has no valid key: sudo apt-get update")),
    (r"Release file for \S+ is expired", _said("the clock of this host is ahead, or its mirror is not kept any more")),
    (_MIRROR, _mirror),
    (r"Failed to fetch .*\b404\b.*", _said("the mirror's index names what it does not have: try again in an hour")),
    (r"error processing (?:package|archive) (\S+) \([^)]*\):\n(.*)", _script),
    (r"Held packages were changed|held broken packages", _unmet),
    (r"unmet dependencies", _unmet),
    (r"Could not get lock.*", _said("another program is at work with packages: let it finish, then run again")),
)
