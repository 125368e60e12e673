"""Verbs about hosts themselves: names, keys, whether they are fit for work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Unpack

from .. import inventory
from ..connection import connect, fetch_host_keys
from ..engine.session import Session
from ..errors import HostError, SudoFailed, UsageError
from ..model import Cluster, HostSet
from ..runner.facts import Facts
from .each import in_words
from .reach import Reach, resolve, settings

#: Seconds a host's clock may differ from the controller's before `hosts_check` warns: munge and TLS allow minutes,
#: logs become hard to compare well before.
SKEW = 5.0


@dataclass(frozen=True, kw_only=True)
class HostCheck:
    """What `hosts_check` found on one host.

    Attributes
    ----------
    key
        ``known``, ``unknown`` or ``changed``; empty where no key was seen.
    sudo
        ``yes``, or why not.
    facts
        None where the host could not be asked.
    problems
        What keeps bramble from working there, or soon will; each with what to do.
    """

    host: str
    reachable: bool
    key: str = ""
    sudo: str = ""
    facts: Facts | None = None
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether services can be deployed there."""
        return self.facts is not None and self.sudo == "yes" and not self.problems


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """A host key, and what became of it: ``added``, ``replaced``, ``known``, or ``shown`` (nothing was stored)."""

    host: str
    kind: str
    fingerprint: str
    state: str


@dataclass(frozen=True, kw_only=True)
class ClusterInfo:
    """One cluster file."""

    name: str
    hosts: str
    manager: str
    services: tuple[str, ...]
    file: str


def hosts_expand(expression: str, *, cluster: str = "", lines: Iterable[str] = ()) -> HostSet:
    """The hosts an expression means, in order; ``str()`` of the result is the folded text.

    Parameters
    ----------
    expression
        ``red,red[01-02]``; ``-`` takes ``lines`` (of standard input) instead.
    cluster
        Whose groups ``@name`` stands for; without it those of the only cluster there is.

    Raises
    ------
    HostExpressionError
        Shows the place.
    UsageError
        There is no such cluster.
    ClusterFileError
        Its file has a mistake in it.
    """
    text = list(lines) if expression == "-" else [expression]
    # Names alone need no file, and no file's mistake stands in their way.
    groups = inventory.groups(cluster) if cluster or any("@" in line for line in text) else {}
    return HostSet.from_lines(text, groups) if expression == "-" else HostSet.parse(expression, groups)


def hosts_list() -> tuple[ClusterInfo, ...]:
    """All clusters that have a file."""
    found = []
    for name in inventory.names():
        cluster = inventory.load(name)
        found.append(
            ClusterInfo(
                name=name,
                hosts=str(cluster.hostset),
                manager=cluster.manager,
                services=tuple(cluster.services),
                file=cluster.file,
            )
        )
    return tuple(found)


def hosts_add(expression: str, *, cluster: str = "") -> Cluster:
    """Add hosts to a cluster's file; makes the file if there is none. No host is contacted."""
    return inventory.add_hosts(HostSet.parse(expression), cluster)


def hosts_remove(expression: str, *, cluster: str = "") -> Cluster:
    """Take hosts out of a cluster's file. No host is contacted.

    Raises
    ------
    UsageError
        One of them still has services: scale or remove those first.
    """
    return inventory.remove_hosts(HostSet.parse(expression), cluster)


async def hosts_check(**reach: Unpack[Reach]) -> tuple[HostCheck, ...]:
    """Whether each host can be reached and is fit for work; all at once, nothing is changed."""
    cluster = resolve(reach)
    how = settings(reach)
    password = reach.get("sudo_password")

    async def one(name: str) -> HostCheck:
        try:
            connection = await connect(cluster.host(name), how)
        except HostError as error:
            keys = {"UnknownHostKey": "unknown", "ChangedHostKey": "changed"}
            key = keys.get(type(error).__name__, "")
            return HostCheck(host=name, reachable=bool(key), key=key, problems=(in_words(error),))
        sudo = "yes"
        problems: list[str] = []
        async with connection:
            try:
                session = await Session.open(connection, password=password)
            except SudoFailed as error:
                sudo = error.what
                problems.append(in_words(error))
                try:
                    session = await Session.open(connection, sudo=False)
                except HostError as second:
                    return HostCheck(
                        host=name, reachable=True, key="known", sudo=sudo, problems=(*problems, in_words(second))
                    )
            except HostError as error:
                return HostCheck(host=name, reachable=True, key="known", problems=(in_words(error),))
            try:
                facts = await session.facts()
            except HostError as error:
                return HostCheck(host=name, reachable=True, key="known", sudo=sudo, problems=(in_words(error),))
            finally:
                await session.close()
        return HostCheck(
            host=name, reachable=True, key="known", sudo=sudo, facts=facts, problems=(*problems, *_unfit(facts))
        )

    return tuple(await asyncio.gather(*(one(host.name) for host in cluster.hosts)))


def _unfit(facts: Facts) -> list[str]:
    problems = []
    if not facts.systemd:
        problems.append("systemd is not PID 1, so services cannot be managed")
    if facts.read_only:
        problems.append("the file system is read-only: a worn card? (dmesg | tail)")
    if facts.disk_free < 200 * 2**20:
        problems.append(f"only {facts.disk_free // 2**20} MB of disk are free (df -h /)")
    if abs(facts.skew) > SKEW:
        ahead = "ahead" if facts.skew > 0 else "behind"
        problems.append(f"its clock is {abs(facts.skew):.0f} s {ahead} (timedatectl set-ntp true)")
    return problems


async def hosts_trust(*, replace: bool = False, show: bool = False, **reach: Unpack[Reach]) -> tuple[TrustedKey, ...]:
    """Accept the keys that hosts show now, as bramble's own known host keys.

    Compare the fingerprints with the hosts' own (``ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`` on the host)
    before you rely on them.

    Parameters
    ----------
    replace
        Also where another key was known: the card was burned anew.
    show
        Only tell the fingerprints.

    Raises
    ------
    UsageError
        A host shows another key than the known one, and ``replace`` was not given; nothing was stored.
    HostError
        A host cannot be reached; nothing was stored.
    """
    cluster = resolve(reach)
    how = settings(reach)
    shown = await asyncio.gather(*(fetch_host_keys(host, how) for host in cluster.hosts))
    found = []
    for host, keys in zip(cluster.hosts, shown, strict=True):
        for key in keys:
            state = inventory.state_of_key(host, key.line)
            found.append((host, key, state))
    changed = sorted({host.name for host, _, state in found if state == "replaced"})
    if changed and not replace and not show:
        raise UsageError(
            f"{HostSet(changed)} shows another key than the known one",
            hint=f"if the card was burned anew: bramble hosts trust --replace --hosts {HostSet(changed)}",
        )
    if not show:
        for host, key, _ in found:
            inventory.remember_key(host, key)
    return tuple(
        TrustedKey(host=host.name, kind=key.kind, fingerprint=key.fingerprint, state="shown" if show else state)
        for host, key, state in found
    )
