"""The words for OpenSSH's own client to go the same way as we do: for terminals, where a person types.

It is told our decisions instead of its own: where to, as whom, through which hosts, and which keys of hosts are known.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ..known_hosts import Judge
from ..settings import Settings
from .route import Route


def words(way: Route, judge: Judge, settings: Settings, through: Sequence[str] = ()) -> list[str]:
    """The command that opens a terminal on a host; the host's name is its last word.

    Parameters
    ----------
    through
        The same for the last host on the way to it, where there is one.
    """
    command = ["ssh"] if settings.config == Settings.config else ["ssh", "-F", settings.config or "none"]
    options = {
        "HostName": _plain(way.address),
        # The name that its key is known by, which ssh would not guess: it would look for the address alone.
        "HostKeyAlias": judge.name() or way.written,
        "UserKnownHostsFile": " ".join(f'"{_plain(path)}"' for path in way.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",  # they are among those above
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
    }
    if way.host.key:
        options |= {"IdentityFile": f'"{_plain(way.host.key)}"', "IdentitiesOnly": "yes"}
    if through:
        # Not ProxyJump: ssh would go there with none of these options.
        options["ProxyCommand"] = f"{_plain(shlex.join(through[:-1]))} -W '[%h]:%p' {shlex.quote(through[-1])}"
    elif not way.proxied:
        options["ProxyJump"] = "none"
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    return [*command, "-p", str(way.port), "-l", way.user, way.host.name]


def _plain(text: str) -> str:
    """Text in which ssh is to replace nothing."""
    return text.replace("%", "%%")
