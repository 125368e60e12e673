"""A host's own disk: the layer over its base tree, and small disks of a given size that can be filled up safely.

A small disk is a tmpfs that the machine holds, so it outlives a power cut as a real disk does. It holds what the host
sees in a folder of its own; the ballast that fills it up lies beside that, so a host never sees it.
"""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath

from bramble.errors import UsageError
from bramble.lab import identity
from bramble.lab.folders import remove_folder
from bramble.lab.packages import ARCHIVES, lend_packages
from bramble.lab.process import run
from bramble.lab.state import HostSpec, LabSpec

_LEAST = 1 << 20

#: A host that writes all the time may be quicker than we are, but not so often.
FILL_TRIES = 20


def layers(lab: LabSpec, host: HostSpec) -> Path:
    """The folder with the host's ``upper`` and ``work`` layers: on its small disk for ``/`` when it has one."""
    return small_disks(lab, host).get("/", lab.host_folder(host) / "disk")


def root_mount(lab: LabSpec, host: HostSpec) -> list[str | Path]:
    """The words that mount a host's root, but for the place where."""
    if host.containers:
        return ["mount", "--bind", layers(lab, host) / "upper"]
    return ["mount", "-t", "overlay", "-o", overlay(lab, host), "overlay"]


def overlay(lab: LabSpec, host: HostSpec) -> str:
    """Options of the mount that is the host's root: what it writes, over packages lent to it, over its base tree."""
    own = layers(lab, host)
    lent = lab.host_folder(host) / "disk" / "lent"
    return f"lowerdir={lent}:{host.tree},upperdir={own / 'upper'},workdir={own / 'work'}"


def small_disks(lab: LabSpec, host: HostSpec) -> dict[str, Path]:
    """Where each small disk of a host is mounted on the machine."""
    return {path: lab.host_folder(host) / "disks" / str(index) for index, path in enumerate(host.disks)}


def make_disks(lab: LabSpec, host: HostSpec) -> None:
    """Make the disks of a host that is off: as a freshly written card, or as they were if they are there.

    What was downloaded in any lab meanwhile is lent to it anew.
    """
    disk = lab.host_folder(host) / "disk"
    done = lab.host_folder(host) / "disk.whole"
    if not done.exists():
        remove_folder(disk)
        for layer in (disk / "work", disk / "upper", disk / "lent"):
            layer.mkdir(parents=True)
            layer.chmod(0o755)
        if host.containers:
            run(
                ["cp", "-a", "--reflink=auto", f"{host.tree}/.", disk / "upper"],
                what="copying the base tree",
                timeout=600,  # some hundred megabytes, by whatever else the machine does
            )
        identity.personalise(lab, host, disk / "upper")
        done.touch()
    lent = disk / ("upper" if host.containers else "lent")
    lend_packages(host.release, identity.make_folder(lent, Path(host.tree), ARCHIVES))
    for path, place in small_disks(lab, host).items():
        if not place.is_mount():
            _make_small(lab, host, path, place)


def _make_small(lab: LabSpec, host: HostSpec, path: str, place: Path) -> None:
    """Mount a small disk and copy onto it what the host has at its place now."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={host.disks[path]},mode=0755"
    run(["mount", "-t", "tmpfs", "-o", options, "lab-disk", place], what="making a small disk")
    disk = lab.host_folder(host) / "disk"
    try:
        if path == "/":
            run(["cp", "-a", disk / "upper", place / "upper"], what="copying / onto a small disk")
            (place / "work").mkdir()
        else:
            _copy_folder(lab, host, path.lstrip("/"), place)
    except BaseException:
        # A disk without its content must not be taken for whole by the next start.
        run(["umount", place], what="dropping a small disk", check=False)
        raise


def _copy_folder(lab: LabSpec, host: HostSpec, name: str, place: Path) -> None:
    """Copy a folder of a host that is off: its layers are mounted for this one command, seen by no other."""
    root = lab.host_folder(host) / "root"
    root.mkdir(exist_ok=True)
    script = (
        'root=$1 name=$2 place=$3; shift 3; "$@" "$root"; mkdir -p "$root/$name"; cp -a "$root/$name" "$place/content"'
    )
    argv: list[str | Path] = ["unshare", "--mount", "--propagation=slave", "sh", "-ec", script, "sh", root, name, place]
    run([*argv, *root_mount(lab, host)], what=f"copying /{name} onto a small disk")


def add_small_disk(host: HostSpec, path: str, size: int) -> HostSpec:
    """The same host with one more small disk.

    Raises
    ------
    UsageError
        The path is not absolute, has a small disk already, or the size is less than 1 MiB.
    """
    clean = PurePosixPath(path)
    if not clean.is_absolute() or ".." in clean.parts:
        raise UsageError(f"{path!r} is no place for a disk", hint="an absolute path, such as /var")
    if size < _LEAST:
        raise UsageError(f"a disk of {size} bytes is too small", hint=f"at least {_LEAST}")
    if str(clean) in host.disks:
        raise UsageError(f"{host.name} has a small disk at {clean} already", hint="reset the host to get rid of it")
    return replace(host, disks={**host.disks, str(clean): size})


def fill(lab: LabSpec, host: HostSpec, path: str, leave: int) -> None:
    """Fill a small disk up but for that many bytes; what was filled up before is let out first."""
    ballast = _small_disk(lab, host, path) / "ballast"
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        for _ in range(FILL_TRIES):
            state = os.statvfs(ballast.parent)
            free = state.f_bavail * state.f_frsize - leave
            if free <= 0:
                return
            try:
                os.posix_fallocate(file.fileno(), 0, free)
                return
            except OSError as error:
                # The host wrote in between, so there is less by now.
                if error.errno != errno.ENOSPC:
                    raise


def drain(lab: LabSpec, host: HostSpec, path: str) -> None:
    """Take out again what :func:`fill` put in."""
    (_small_disk(lab, host, path) / "ballast").unlink(missing_ok=True)


def _small_disk(lab: LabSpec, host: HostSpec, path: str) -> Path:
    try:
        place = small_disks(lab, host)[path]
    except KeyError:
        raise UsageError(
            f"{host.name} has no small disk at {path}",
            why="its other disks are the machine's own, which nobody may fill up",
            hint=f"lab.small_disk({lab.name!r}, {host.name!r}, {path!r}, size=...)",
        ) from None
    if not place.is_mount():
        raise UsageError(
            f"the small disk of {host.name} at {path} is not mounted", hint=f"bramble lab start {host.name}"
        )
    return place


def wipe_disks(lab: LabSpec, host: HostSpec) -> None:
    """Throw away all that was written on a host that is off, its small disks included."""
    folder = lab.host_folder(host)
    (folder / "disk.whole").unlink(missing_ok=True)
    remove_folder(folder / "disks")
    remove_folder(folder / "disk")
