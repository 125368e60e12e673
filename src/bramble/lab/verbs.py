"""The verbs of the lab. Each is synchronous, takes the lab's lock while it changes something, and can be run again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from bramble.errors import BrambleError, UsageError
from bramble.lab import disks, identity, network, power, report
from bramble.lab.archive import machine_release
from bramble.lab.packages import keep_packages
from bramble.lab.requirements import require
from bramble.lab.state import (
    LAST_NUMBER,
    HostSpec,
    LabSpec,
    check_name,
    host_name,
    host_number,
    lab_names,
    labs_folder,
    load,
    locked,
    new_lab,
)
from bramble.lab.report import LabStatus
from bramble.lab.tree import base_tree, remove_folder

Releases = str | Sequence[str] | Mapping[str, str] | None
Progress = Callable[[str], None]

#: Held only while a subnet is chosen, so that two labs made at once do not choose the same.
_MACHINE_LOCK = Path("/run/lock/bramble-lab.lock")


def _silent(_text: str) -> None: ...


def up(
    size: int | None = None,
    name: str = "red",
    release: Releases = None,
    *,
    memory: int | None = None,
    cpus: float | None = None,
    seconds: float = 60.0,
    progress: Progress = _silent,
) -> LabStatus:
    """Make a lab, or bring one to its full size; returns when every host answers.

    A lab that runs is left as it is, hosts that are off or broken are started, missing ones are added.

    Parameters
    ----------
    size
        How many hosts at least; by default 3 for a new lab.
    name
        Of the lab and its first host; the others are NAME01, NAME02, ...
    release
        Code name, several of them dealt out in turn (a list, or ``"bookworm,trixie"``), or a mapping from host to code
        name; by default the machine's own. Only new hosts get it.
    memory, cpus
        Limits of each new host in bytes and cores; none by default.
    seconds
        How long hosts may take to come up.
    progress
        Told when something slow begins.

    Raises
    ------
    UsageError
        No root, missing packages, a name, size or release that cannot be.
    HostError
        A host did not come up; ``why`` holds the end of its console.
    """
    require()
    check_name(name)
    if size is not None and not 1 <= size <= LAST_NUMBER + 1:
        raise UsageError(f"a lab has 1 to {LAST_NUMBER + 1} hosts, not {size}")
    with _lock(name):
        lab = load(name) or _found(name)
        wanted = range(size if size is not None else 3 if not lab.hosts else 0)
        lab = _grow(lab, [number for number in wanted], release, memory, cpus, progress)
        return _bring_up(lab, lab.hosts, seconds, progress)


def add(
    name: str,
    host: str,
    release: Releases = None,
    *,
    memory: int | None = None,
    cpus: float | None = None,
    seconds: float = 60.0,
    progress: Progress = _silent,
) -> LabStatus:
    """Add one host to a lab and start it. Parameters and errors as for :func:`up`."""
    require()
    with _lock(name):
        lab = _grow(_lab(name), [host_number(name, host)], release, memory, cpus, progress)
        return _bring_up(lab, [lab.host(host)], seconds, progress)


def down(name: str = "red", *, progress: Progress = _silent) -> None:
    """Take a lab away with all that belongs to it, also what a killed command left behind. The cache stays.

    Nothing happens when there is none.
    """
    require()
    check_name(name)
    folder = labs_folder() / name
    if not folder.exists():
        return
    with _lock(name):
        try:
            lab = load(name) or new_lab(name, "0.0.0.0/24")
        except BrambleError as error:
            progress(f"{error.what}: taking away what carries its name")
            lab = new_lab(name, "0.0.0.0/24")
        _all(lab.hosts, lambda host: _retire(lab, host))
        power.sweep(lab)
        network.remove(lab, [other for other in map(load, lab_names()) if other and other.name != name])
        identity.remove_cluster_file(lab)
        remove_folder(folder)


def labs() -> tuple[LabStatus, ...]:
    """Every lab of this user."""
    return tuple(report.of(lab) for lab in map(load, lab_names()) if lab)


def status(name: str = "red") -> LabStatus:
    """What a lab is doing; ``UsageError`` when there is none of that name."""
    return report.of(_lab(name))


def kill(name: str, host: str) -> None:
    """Cut a host's power: all its processes die at once, nothing is written any more. Its disk stays."""
    require()
    with _lock(name):
        lab = _lab(name)
        power.switch_off(lab, lab.host(host))


def start(name: str, host: str, *, seconds: float = 60.0) -> LabStatus:
    """Switch a host on and wait until it answers; nothing happens when it is on."""
    require()
    with _lock(name):
        lab = _lab(name)
        return _bring_up(lab, [lab.host(host)], seconds, _silent)


def reset(name: str, *hosts: str, seconds: float = 60.0) -> LabStatus:
    """Give hosts (all by default) the disk of a freshly written card: off, wiped, on. Keys and addresses stay."""
    require()
    with _lock(name):
        lab = _lab(name)
        chosen = [lab.host(host) for host in hosts] if hosts else list(lab.hosts)
        _all(chosen, lambda host: _wipe(lab, host))
        return _bring_up(lab, chosen, seconds, _silent)


def cut(name: str, host: str) -> None:
    """Cut a host off the network: the bridge swallows all its packets, both ways. Restarting it heals it too."""
    _switch(name, host, connected=False)


def heal(name: str, host: str) -> None:
    """Connect a host again that was cut off."""
    _switch(name, host, connected=True)


def _switch(name: str, host: str, *, connected: bool) -> None:
    require()
    with _lock(name):
        lab = _lab(name)
        power.require_on(lab, lab.host(host))
        network.connect(lab, lab.host(host), connected)


def pause(name: str, host: str) -> None:
    """Stop all processes of a host in their tracks; its kernel still answers pings, nothing else does."""
    _freeze(name, host, frozen=True)


def resume(name: str, host: str) -> None:
    """Let a paused host go on."""
    _freeze(name, host, frozen=False)


def _freeze(name: str, host: str, *, frozen: bool) -> None:
    require()
    with _lock(name):
        lab = _lab(name)
        power.require_on(lab, lab.host(host)).freeze(frozen)


def _lock(name: str):  # type: ignore[no-untyped-def]
    return locked(labs_folder() / name / "lock", busy=f"another command is changing lab {name}")


def _lab(name: str) -> LabSpec:
    lab = load(name)
    if lab is None:
        known = ", ".join(lab_names()) or "none"
        raise UsageError(f"there is no lab {name!r}", why=f"labs here: {known}", hint=f"bramble lab up --name {name}")
    return lab


def _found(name: str) -> LabSpec:
    """A new lab with a network of its own."""
    with locked(_MACHINE_LOCK):
        lab = new_lab(name, network.free_subnet())
        lab.save()
        network.make(lab)
        _MACHINE_LOCK.unlink()
    return lab


def _grow(
    lab: LabSpec,
    numbers: Iterable[int],
    release: Releases,
    memory: int | None,
    cpus: float | None,
    progress: Progress,
) -> LabSpec:
    known = {host.number for host in lab.hosts}
    for number in numbers:
        if number not in known:
            host = host_name(lab.name, number)
            chosen = _release_of(host, number, release)
            tree = base_tree(chosen, progress)
            lab = lab.with_host(
                HostSpec(name=host, number=number, release=chosen, tree=str(tree), memory=memory, cpus=cpus)
            )
    lab.save()
    return lab


def _release_of(host: str, number: int, release: Releases) -> str:
    if release is None:
        return machine_release()[1]
    if isinstance(release, Mapping):
        if host not in release:
            raise UsageError(f"no release is given for {host}")
        return release[host]
    names = [word.strip() for word in release.split(",")] if isinstance(release, str) else list(release)
    return names[number % len(names)]


def _bring_up(lab: LabSpec, hosts: Sequence[HostSpec], seconds: float, progress: Progress) -> LabStatus:
    network.make(lab)
    identity.make_keys(lab)
    identity.write_cluster_file(lab)
    progress(f"starting {', '.join(host.name for host in hosts)}")
    _all(hosts, lambda host: _switch_on(lab, host, seconds))
    return report.of(lab)


def _switch_on(lab: LabSpec, host: HostSpec, seconds: float) -> None:
    if report.power_of(lab, host) in ("off", "broken"):
        power.switch_off(lab, host)
        disks.make_disk(lab, host)
        power.switch_on(lab, host)
        power.wait_ready(lab, host, seconds)


def _retire(lab: LabSpec, host: HostSpec) -> None:
    power.switch_off(lab, host)
    keep_packages(lab, host)


def _wipe(lab: LabSpec, host: HostSpec) -> None:
    _retire(lab, host)
    disks.wipe_disk(lab, host)


def _all(hosts: Sequence[HostSpec], work: Callable[[HostSpec], None]) -> None:
    """Do it for all hosts at once; the first error is raised when all are done."""
    if hosts:
        with ThreadPoolExecutor(max_workers=min(len(hosts), 16)) as pool:
            for outcome in [pool.submit(work, host) for host in hosts]:
                outcome.result()
