"""One host and the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from .entry import Entry


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host and how to reach it. What is left empty is taken from the OpenSSH configuration, else its defaults.

    Attributes
    ----------
    name
        By which every plan, event and report calls it; unique in its cluster.
    address
        Connect to this name or address; empty for ``name``.
    user
        Log in as this user.
    port
        TCP port of sshd; 0 for the configured one.
    key
        File of the private key; empty for those of the agent and ``~/.ssh``.
    jump
        Go through this host, as ``ssh -J`` takes it: ``user@host:port``, several with commas between.
    known_hosts
        File with this host's key, besides bramble's own and the user's.
    labels
        What services want to know of it, such as the partition or the rack it is in.
    """

    name: str
    address: str = ""
    user: str = ""
    port: int = 0
    key: str = ""
    jump: str = ""
    known_hosts: str = ""
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, text: str) -> Host:
        """The host of an entry, ``[user@]name[:port]``.

        Raises
        ------
        ValueError
            With one sentence that a person can use.
        """
        entry = Entry.parse(text)
        return cls(name=entry.name, user=entry.user, port=entry.port)


def reachable(*candidates: str) -> str:
    """The first of these that is an address by which other hosts can reach one; empty where none is.

    Names are passed over, and so is 127.0.1.1, which Debian lets a host take its own name for.
    """
    for candidate in candidates:
        try:
            if not ip_address(candidate).is_loopback:
                return candidate
        except ValueError:
            continue
    return ""
