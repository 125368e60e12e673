"""Control groups of one host: below our own in every hierarchy, never beside or above, and gone with the host.

Where systemd runs the machine on unified groups, a unit of the host's own is asked of it instead (see
:mod:`bramble.lab.power`): there all groups are systemd's, but for those that it hands out.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bramble.errors import BrambleError

# What a container may use of the machine's devices: the harmless ones that it makes itself, terminals, tun and fuse.
# Making any node is allowed, as packages do; opening the machine's disks is not.
_DEVICES = (
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
    "c 10:200 rwm",
    "c 10:229 rwm",
)
_CPU_PERIOD = 100_000  # microseconds: the kernel's default


@dataclass(frozen=True)
class Hierarchy:
    """One mounted tree of groups: where, which v1 controllers (empty for unified), and our own place in it."""

    mount: Path
    controllers: frozenset[str]
    own: Path

    @property
    def unified(self) -> bool:
        """Whether this is the version 2 tree."""
        return not self.controllers


def hierarchies(pid: int | str = "self") -> tuple[Hierarchy, ...]:
    """All trees of groups that are mounted here, with the place of a process in each."""
    places: dict[frozenset[str], str] = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, place = line.split(":", 2)
        places[frozenset(filter(None, controllers.split(",")))] = place
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        root, mount = fields.split()[3:5]
        fs, _, options = kind.split()[:3]
        if fs == "cgroup2":
            key: frozenset[str] = frozenset()
        elif fs == "cgroup":
            key = next((key for key in places if key and key <= set(options.split(","))), frozenset())
            if not key:
                continue
        else:
            continue
        if key in places and key not in found:
            # In a container the tree may be mounted from our own group downwards.
            inside = os.path.relpath(places[key], root)
            if not inside.startswith(".."):
                found[key] = Hierarchy(Path(mount), key, Path(mount, inside))
    return tuple(found.values())


def plain_unified() -> bool:
    """Whether this machine has version 2 groups only."""
    return all(tree.unified for tree in hierarchies())


def from_systemd() -> bool:
    """Whether groups have to be asked of the machine's systemd."""
    return plain_unified() and Path("/run/systemd/system").is_dir()


@dataclass(frozen=True)
class Groups:
    """The groups of one host: one folder in each tree."""

    folders: tuple[Path, ...]

    @classmethod
    def make(cls, name: str, *, every_device: bool = False) -> Groups:
        """Make groups of this name below the caller's own, with the caller's processors, and its devices narrowed.

        Parameters
        ----------
        every_device
            Leave the devices as they are: a container that may use all of its host's, as those of Kubernetes' own
            network do, is refused by the kernel below groups that are narrowed.
        """
        folders = []
        for tree in hierarchies():
            folder = tree.own / name
            folder.mkdir(exist_ok=True)
            if "cpuset" in tree.controllers:
                for setting in ("cpuset.cpus", "cpuset.mems"):
                    (folder / setting).write_text((tree.own / setting).read_text())
                (folder / "cgroup.clone_children").write_text("1")
            if "devices" in tree.controllers and not every_device:
                (folder / "devices.deny").write_text("a")
                for rule in _DEVICES:
                    (folder / "devices.allow").write_text(rule)
            folders.append(folder)
        return cls(tuple(folders))

    @classmethod
    def find(cls, names: set[str]) -> Groups:
        """The groups of these names wherever they hang, whoever made them."""
        return cls._search(lambda name: name in names)

    @classmethod
    def find_prefix(cls, prefix: str) -> Groups:
        """All groups whose names begin so, wherever they hang."""
        return cls._search(lambda name: name.startswith(prefix))

    @classmethod
    def _search(cls, wanted: Callable[[str], bool]) -> Groups:
        found = []
        for root in sorted({tree.mount for tree in hierarchies()}):
            for path, folders, _ in os.walk(root):
                matches = [folder for folder in folders if wanted(folder)]
                found += [Path(path, folder) for folder in matches]
                folders[:] = [folder for folder in folders if folder not in matches]
        return cls(tuple(found))

    def limit(self, memory: int | None, cpus: float | None) -> None:
        """Bound memory (bytes) and processor time (cores).

        Raises
        ------
        BrambleError
            This machine does not let us (the controller is not there or not given to us).
        """
        if memory is not None:
            self._set("memory", {"memory.max": str(memory), "memory.limit_in_bytes": str(memory)})
        if cpus is not None:
            quota = int(cpus * _CPU_PERIOD)
            self._set("processor time", {"cpu.max": f"{quota} {_CPU_PERIOD}", "cpu.cfs_quota_us": str(quota)})

    def _set(self, what: str, settings: dict[str, str]) -> None:
        for folder in self.folders:
            for setting, value in settings.items():
                if (folder / setting).exists():
                    (folder / setting).write_text(value)
                    return
        raise BrambleError(f"{what} of a lab host cannot be limited here", why="that group controller is not to be had")

    def join(self) -> None:
        """Move the calling process into the groups."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def stall(self, number: int) -> Path | None:
        """Make a group for one boot of the host on unified groups; None where the groups can be used as they are.

        On unified groups no process may sit beside groups with controllers, so the caller moves to one of its own. Each
        boot gets a new one: nspawn hands the last one on to the host, and then nobody can enter it again.
        """
        if not plain_unified():
            return None
        (root,) = self.folders
        keeper, stall = root / "keeper", root / f"boot-{number}"
        keeper.mkdir(exist_ok=True)
        (keeper / "cgroup.procs").write_text(str(os.getpid()))
        wanted = "".join(f"+{controller} " for controller in (root / "cgroup.controllers").read_text().split())
        (root / "cgroup.subtree_control").write_text(wanted)
        stall.mkdir()
        return stall

    def pids(self) -> set[int]:
        """Every process in the groups and below."""
        found: set[int] = set()
        for folder in self.folders:
            for group in _below(folder):
                with contextlib.suppress(FileNotFoundError, OSError):
                    found.update(int(word) for word in (group / "cgroup.procs").read_text().split())
        return found - {0}

    def freeze(self, frozen: bool) -> None:
        """Stop all processes of the groups in their tracks, or let them go on."""
        for folder in self.folders:
            if (folder / "cgroup.freeze").exists():
                (folder / "cgroup.freeze").write_text(str(int(frozen)))
                return
        for folder in self.folders:
            if (folder / "freezer.state").exists():
                (folder / "freezer.state").write_text("FROZEN" if frozen else "THAWED")
                return
        raise BrambleError("processes of a lab host cannot be paused here", why="no group freezer is to be had")

    def frozen(self) -> bool:
        """Whether :meth:`freeze` holds."""
        for folder in self.folders:
            for setting, value in (("cgroup.freeze", "1"), ("freezer.state", "FROZEN")):
                with contextlib.suppress(FileNotFoundError):
                    if (folder / setting).read_text().strip() == value:
                        return True
        return False

    def kill(self, seconds: float = 10.0) -> None:
        """Kill every process of the groups, at once and for good.

        Raises
        ------
        BrambleError
            Some are still there after that many seconds.
        """
        deadline = time.monotonic() + seconds
        while pids := self.pids():
            for switch in (folder / "cgroup.kill" for folder in self.folders):
                # The kernel's own way, where it has it (5.14): all in one instant, none can fork its way out.
                if switch.exists():
                    switch.write_text("1")
            for pid in pids:
                _kill_member(pid, self.folders)
            if self.frozen():
                self.freeze(False)
            if time.monotonic() > deadline:
                raise BrambleError("processes of a lab host do not die", why=f"still there: {sorted(pids)[:10]}")
            time.sleep(0.02)

    def remove(self) -> None:
        """Remove the groups with all below; they must be empty."""
        for folder in self.folders:
            for group in sorted(_below(folder), key=lambda path: len(path.parts), reverse=True):
                with contextlib.suppress(FileNotFoundError):
                    _remove(group)


def _kill_member(pid: int, folders: Iterable[Path]) -> None:
    """Kill a process if it is in one of these groups: the number may have gone to another since it was read."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if any(tree.own.is_relative_to(folder) for tree in hierarchies(pid) for folder in folders):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return
    finally:
        os.close(handle)


def _remove(group: Path) -> None:
    # A group whose last process just died is busy for some milliseconds more.
    for _ in range(200):
        try:
            group.rmdir()
        except OSError:
            if not group.exists():
                return
            time.sleep(0.01)
        else:
            return
    group.rmdir()


def _below(folder: Path) -> Iterable[Path]:
    return [Path(path) for path, _, _ in os.walk(folder)]
