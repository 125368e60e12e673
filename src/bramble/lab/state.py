"""What is known of a lab between two commands: one folder, one JSON file, one lock.

``<state>/bramble/lab/NAME/`` holds ``lab.json``, the client key, ``known_hosts`` and one folder per host. What runs is
never written down where the kernel can be asked instead.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import TextIO

from platformdirs import user_cache_path, user_state_path

from bramble.errors import BrambleError, UsageError

#: Written into lab.json; another number means a lab that another version of bramble made.
FORMAT = 1
#: NAME is .10, NAME01 is .11, ...: the last number that fits a /24 with its broadcast address left out.
FIRST_ADDRESS, LAST_NUMBER = 10, 99
#: Stands for the subnet of a lab of which nothing but the name is known.
NO_SUBNET = "0.0.0.0/24"
#: In a lab's folder: held while something of it changes.
LOCK = "lock"


def labs_folder() -> Path:
    """Where the folders of all labs of this user are."""
    return user_state_path("bramble") / "lab"


def cache_folder() -> Path:
    """Where base trees and package archives are kept between labs."""
    return user_cache_path("bramble") / "lab"


@dataclass(frozen=True, kw_only=True)
class HostSpec:
    """One host as it was asked for.

    ``memory`` is a limit in bytes, ``cpus`` in cores (0.5 is half of one); ``disks`` maps a path in the host to the
    size in bytes of the small disk that is mounted there; ``tree`` is the base tree that its own disk lies upon.
    Where ``containers`` are wanted, the disk is a copy of the tree instead: the kernel lays no overlay on an overlay,
    which is what container engines want to do.
    """

    name: str
    number: int
    release: str
    tree: str
    memory: int | None = None
    cpus: float | None = None
    disks: dict[str, int] = field(default_factory=dict)
    containers: bool = False


@dataclass(frozen=True, kw_only=True)
class LabSpec:
    """One lab as it was asked for, and the names that all its belongings on this machine carry."""

    name: str
    ident: str
    subnet: str
    hosts: tuple[HostSpec, ...] = ()
    format: int = FORMAT

    @property
    def folder(self) -> Path:
        """The lab's state folder."""
        return labs_folder() / self.name

    @property
    def bridge(self) -> str:
        """Name of the bridge interface (at most 15 characters, as the kernel wants)."""
        return f"lab-{self.ident}"

    @property
    def table(self) -> str:
        """Name of the nftables table."""
        return f"bramble_lab_{self.ident}"

    @property
    def network(self) -> IPv4Network:
        """The private subnet."""
        return IPv4Network(self.subnet)

    @property
    def gateway(self) -> IPv4Address:
        """The machine's own address on the bridge."""
        return self.network[1]

    def veth(self, host: HostSpec) -> str:
        """Name of the bridge-side end of a host's cable."""
        return f"lab-{self.ident}-{host.number}"

    def address(self, host: HostSpec) -> IPv4Address:
        """Address of a host."""
        return self.network[FIRST_ADDRESS + host.number]

    def mac(self, host: HostSpec) -> str:
        """Hardware address of a host: locally administered and always the same, so neighbours need not learn anew."""
        ident = ":".join(self.ident[i : i + 2] for i in (0, 2, 4))
        return f"02:62:{ident}:{host.number:02x}"

    def host_folder(self, host: HostSpec) -> Path:
        """Folder of one host: its disk, its keys, its console."""
        return self.folder / "hosts" / host.name

    def host(self, name: str) -> HostSpec:
        """The host of that name; ``UsageError`` names those there are."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise UsageError(
            f"lab {self.name} has no host {name!r}", hint=f"its hosts: {', '.join(h.name for h in self.hosts)}"
        )

    def with_host(self, host: HostSpec) -> LabSpec:
        """The same lab with this host added, or in place of the one of the same name."""
        others = [other for other in self.hosts if other.name != host.name]
        return replace(self, hosts=tuple(sorted([*others, host], key=lambda h: h.number)))

    def save(self) -> None:
        """Write ``lab.json``, whole or not at all. Only root looks into the folder: hosts' disks are in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        part = self.folder / "lab.json.part"
        part.write_text(json.dumps(asdict(self), indent=1) + "\n")
        os.replace(part, self.folder / "lab.json")


def is_bridge_name(interface: str) -> bool:
    """Whether an interface is the bridge of some lab, whosever."""
    return re.fullmatch(r"lab-[0-9a-f]{6}", interface) is not None


def check_name(name: str) -> None:
    """Refuse a lab name from which no host names can be made."""
    if not re.fullmatch(r"[a-z]([a-z-]{0,28}[a-z])?", name):
        raise UsageError(
            f"a lab cannot be called {name!r}",
            why="hosts are NAME, NAME01, NAME02, ..., so a name is 1 to 30 lower-case letters or hyphens",
            hint="bramble lab up --name red",
        )


def new_lab(name: str, subnet: str) -> LabSpec:
    """A lab without hosts. Its identity comes from its folder, so two users' labs of one name do not meet."""
    folder = labs_folder() / name
    return LabSpec(name=name, ident=identity(folder), subnet=subnet)


def identity(folder: Path) -> str:
    """Six hexadecimal digits that stand for this lab folder in names of interfaces, groups and tables."""
    return hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:6]


def load(name: str) -> LabSpec | None:
    """The lab of that name, or None when there is none.

    Raises
    ------
    BrambleError
        The file is there but cannot be understood.
    """
    check_name(name)
    file = labs_folder() / name / "lab.json"
    try:
        return _parse(file.read_text())
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise BrambleError(
            f"{file} is not a lab that this version knows", why=str(error), hint=f"bramble lab down --name {name}"
        ) from error


def _parse(text: str) -> LabSpec:
    data = json.loads(text)
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}, not {FORMAT}")
    return LabSpec(**{**data, "hosts": tuple(HostSpec(**host) for host in data["hosts"])})


def lab_names() -> tuple[str, ...]:
    """Names of all labs that have a folder."""
    return tuple(sorted(file.parent.name for file in labs_folder().glob("*/lab.json")))


def host_number(lab: str, host: str) -> int:
    """0 for NAME, 1 for NAME01, ...; ``UsageError`` for any other name."""
    match = re.fullmatch(rf"{re.escape(lab)}(\d\d)?", host)
    if not match or match[1] == "00":
        raise UsageError(f"{host!r} is no host name of lab {lab}", hint=f"{lab}, {lab}01, ... {lab}{LAST_NUMBER}")
    return int(match[1] or 0)


def host_name(lab: str, number: int) -> str:
    """The name of a lab's host: NAME for 0, NAME01 for 1, ..."""
    return f"{lab}{number:02}" if number else lab


@contextmanager
def locked(file: Path, busy: str, seconds: float = 60.0) -> Iterator[None]:
    """Hold a lock that dies with its holder.

    The file may be removed by whoever holds the lock: others notice, and take the lock of the file that is there now.

    Parameters
    ----------
    file
        The lock file; made with its folder when missing.
    busy
        Message of the error when somebody else still holds it after the time.
    seconds
        How long to wait for it.

    Raises
    ------
    BrambleError
        Somebody else held it all that time.
    """
    deadline = time.monotonic() + seconds
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            opened = file.open("a")
        except FileNotFoundError:
            continue  # whoever held it took the folder away just now
        with opened as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise BrambleError(busy, hint="wait for the other command to end") from error
                time.sleep(0.02)
                continue
            if _is_still(file, handle):
                yield
                return


def _is_still(file: Path, handle: TextIO) -> bool:
    try:
        return os.path.samestat(file.stat(), os.fstat(handle.fileno()))
    except FileNotFoundError:
        return False


def existing(name: str) -> LabSpec:
    """The lab of that name; ``UsageError`` when there is none."""
    lab = load(name)
    if lab is None:
        known = ", ".join(lab_names()) or "none"
        raise UsageError(f"there is no lab {name!r}", why=f"labs here: {known}", hint=f"bramble lab up --name {name}")
    return lab


def changing(name: str) -> AbstractContextManager[None]:
    """The lock of a lab, held while something of it changes; ``BrambleError`` when another command holds it."""
    return locked(labs_folder() / name / LOCK, busy=f"another command is changing lab {name}")
