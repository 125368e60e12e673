"""How a lab comes to be: a subnet nobody uses, hosts with names and releases, a base tree under each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bramble.errors import UsageError
from bramble.lab import network
from bramble.lab.archive import machine_release
from bramble.lab.state import NO_SUBNET, HostSpec, LabSpec, host_name, locked, new_lab
from bramble.lab.tree import base_tree

#: One code name, several dealt out in turn, one for each host by name, or the machine's own.
Releases = str | Sequence[str] | Mapping[str, str] | None
#: Told when something slow begins.
Progress = Callable[[str], None]

_MACHINE_LOCK = Path("/run/lock/bramble-lab.lock")


def found(name: str) -> LabSpec:
    """A new lab with a network of its own; what a killed founder left of one is taken away first."""
    with machine_lock():
        network.remove(new_lab(name, NO_SUBNET))
        lab = new_lab(name, network.free_subnet())
        network.make(lab)
        lab.save()
    return lab


def connect(lab: LabSpec) -> LabSpec:
    """The lab with its network in order; another subnet if its own was taken while it had no bridge."""
    with machine_lock():
        if not network.exists(lab) and not network.is_free(lab.network):
            lab = replace(lab, subnet=network.free_subnet())
            lab.save()
        network.make(lab)
    return lab


@contextmanager
def machine_lock() -> Iterator[None]:
    """Held while a subnet is chosen, so that two labs made at once do not choose the same."""
    with locked(_MACHINE_LOCK, "another lab is choosing its network"):
        yield
        _MACHINE_LOCK.unlink()


def grow(lab: LabSpec, numbers: Iterable[int], release: Releases, like: HostSpec, progress: Progress) -> LabSpec:
    """The lab with hosts of these numbers; new ones get a base tree of their release, and are else as ``like``."""
    known = {host.number for host in lab.hosts}
    for number in numbers:
        if number not in known:
            host = host_name(lab.name, number)
            chosen = release_of(host, number, release)
            tree = base_tree(chosen, progress)
            lab = lab.with_host(replace(like, name=host, number=number, release=chosen, tree=str(tree)))
    lab.save()
    return lab


def new_host(memory: int | None, cpus: float | None, containers: bool) -> HostSpec:
    """What new hosts have in common; name, number, release and tree are still to come."""
    return HostSpec(name="", number=0, release="", tree="", memory=memory, cpus=cpus, containers=containers)


def release_of(host: str, number: int, release: Releases) -> str:
    """The release that a new host gets: the machine's own, the one given for it, or the next of those dealt out."""
    if release is None:
        return machine_release()[1]
    if isinstance(release, Mapping):
        if host not in release:
            raise UsageError(f"no release is given for {host}")
        return release[host]
    names = [word.strip() for word in release.split(",")] if isinstance(release, str) else list(release)
    return names[number % len(names)]
