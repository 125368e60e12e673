"""The verbs of the lab. Each is synchronous, takes the lab's lock while it changes something, and can be run again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

from bramble.errors import BrambleError, UsageError
from bramble.lab import clusterfile, disks, identity, network, power, report
from bramble.lab.folders import remove_folder, remove_if_empty
from bramble.lab.founding import Progress, Releases, connect, found, grow, machine_lock, new_host
from bramble.lab.packages import ARCHIVES, keep_packages
from bramble.lab.report import LabStatus
from bramble.lab.requirements import require, require_room
from bramble.lab.state import (
    LAST_NUMBER,
    LOCK,
    NO_SUBNET,
    HostSpec,
    LabSpec,
    changing,
    check_name,
    existing,
    host_number,
    lab_names,
    labs_folder,
    load,
    new_lab,
)


def _silent(_text: str) -> None: ...


def up(
    size: int | None = None,
    name: str = "red",
    release: Releases = None,
    *,
    memory: int | None = None,
    cpus: float | None = None,
    containers: bool = False,
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
    containers
        Whether container engines are to run on new hosts; see `HostSpec`.
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
    with changing(name):
        lab = load(name) or found(name)
        wanted = range(size if size is not None else 3 if not lab.hosts else 0)
        try:
            lab = grow(lab, wanted, release, new_host(memory, cpus, containers), progress)
        except BrambleError:
            if not lab.hosts:
                _take_away(lab)
            raise
        return _bring_up(lab, lab.hosts, seconds, progress)


def add(
    name: str,
    host: str,
    release: Releases = None,
    *,
    memory: int | None = None,
    cpus: float | None = None,
    containers: bool = False,
    seconds: float = 60.0,
    progress: Progress = _silent,
) -> LabStatus:
    """Add one host to a lab and start it. Parameters and errors as for :func:`up`."""
    require()
    with changing(name):
        lab = grow(existing(name), [host_number(name, host)], release, new_host(memory, cpus, containers), progress)
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
    with changing(name):
        try:
            lab = load(name) or new_lab(name, NO_SUBNET)
        except BrambleError as error:
            progress(f"{error.what}: taking away what carries its name")
            lab = new_lab(name, NO_SUBNET)
        _take_away(lab)


def labs() -> tuple[LabStatus, ...]:
    """Every lab of this user."""
    return tuple(report.of(lab) for lab in map(load, lab_names()) if lab)


def status(name: str = "red") -> LabStatus:
    """What a lab is doing; ``UsageError`` when there is none of that name."""
    return report.of(existing(name))


def kill(name: str, host: str) -> None:
    """Cut a host's power: all its processes die at once, nothing is written any more. Its disk stays."""
    require()
    with changing(name):
        lab = existing(name)
        power.switch_off(lab, lab.host(host))


def start(name: str, host: str, *, seconds: float = 60.0) -> LabStatus:
    """Switch a host on and wait until it answers; nothing happens when it is on."""
    require()
    with changing(name):
        lab = existing(name)
        return _bring_up(lab, [lab.host(host)], seconds, _silent)


def reset(name: str, *hosts: str, seconds: float = 60.0) -> LabStatus:
    """Give hosts (all by default) the disk of a freshly written card: off, wiped, on. Keys and addresses stay."""
    require()
    with changing(name):
        lab = existing(name)
        chosen = [lab.host(host) for host in hosts] if hosts else list(lab.hosts)
        _all(chosen, lambda host: _wipe(lab, host))
        fresh = [replace(host, disks={}) for host in chosen]
        for host in fresh:
            lab = lab.with_host(host)
        lab.save()
        return _bring_up(lab, fresh, seconds, _silent)


def small_disk(name: str, host: str, path: str, size: int, *, seconds: float = 60.0) -> LabStatus:
    """Give a host a disk of its own and of that size at a path, holding what the host has there now.

    The host is switched off and on for it. The disk outlives power cuts, and goes with :func:`reset` and :func:`down`.
    It lives in the machine's memory.

    Parameters
    ----------
    name, host
        Of the lab and the host.
    path
        Where in the host; ``/`` for all that it writes (then ``size`` counts only what it writes, not the base tree).
    size
        Bytes, at least 1 MiB.
    seconds
        How long the host may take to come up.

    Raises
    ------
    UsageError
        A path or size that cannot be, or there is such a disk already.
    BrambleError
        What is there now does not fit.
    """
    require()
    with changing(name):
        lab = existing(name)
        before = lab.host(host)
        after = disks.add_small_disk(before, path, size)
        power.switch_off(lab, before)
        lab = lab.with_host(after)
        disks.make_disks(lab, after)
        lab.save()
        return _bring_up(lab, [after], seconds, _silent)


def _bring_up(lab: LabSpec, hosts: Sequence[HostSpec], seconds: float, progress: Progress) -> LabStatus:
    """Switch on those hosts that are off or broken, and wait until all that can answer do."""
    lab = connect(lab)
    identity.make_keys(lab)
    clusterfile.write(lab)
    cold = [host for host in hosts if report.power_of(lab, host) in ("off", "broken")]
    if cold:
        require_room(len(cold))
        progress(f"starting {', '.join(host.name for host in cold)}")
    _all(cold, lambda host: _switch_on(lab, host))
    # A host that is paused or cut off is so because somebody wants it so: it is not waited for.
    awake = [host for host in hosts if report.power_of(lab, host) == "on" and network.connected(lab, host)]
    stop = Event()
    ready = {host.name: host for host in (*cold, *awake)}.values()
    _all(ready, lambda host: power.wait_ready(lab, host, seconds, stop), stop)
    return report.of(lab)


def _switch_on(lab: LabSpec, host: HostSpec) -> None:
    power.switch_off(lab, host)
    disks.make_disks(lab, host)
    power.switch_on(lab, host)


def _take_away(lab: LabSpec) -> None:
    """Remove all that belongs to a lab."""
    _all(lab.hosts, lambda host: _retire(lab, host))
    power.sweep(lab)
    with machine_lock():
        network.remove(lab)
    clusterfile.remove(lab)
    # The lock goes last: whoever waits for it must find nothing that is half gone.
    for part in lab.folder.iterdir():
        if part.is_dir():
            remove_folder(part)
        elif part.name != LOCK:
            part.unlink()
    (lab.folder / LOCK).unlink(missing_ok=True)
    remove_if_empty(lab.folder, lab.folder.parent, lab.folder.parent.parent)


def _retire(lab: LabSpec, host: HostSpec) -> None:
    power.switch_off(lab, host)
    keep_packages(host.release, disks.layers(lab, host) / "upper" / ARCHIVES)


def _wipe(lab: LabSpec, host: HostSpec) -> None:
    _retire(lab, host)
    disks.wipe_disks(lab, host)


def _all(hosts: Collection[HostSpec], work: Callable[[HostSpec], None], stop: Event | None = None) -> None:
    """Do it for all hosts at once; the first error is raised when all are done. An interrupt tells them to stop."""
    if not hosts:
        return
    with ThreadPoolExecutor(max_workers=min(len(hosts), 16)) as pool:
        try:
            for outcome in [pool.submit(work, host) for host in hosts]:
                outcome.result()
        except KeyboardInterrupt:
            if stop:
                stop.set()
            raise
