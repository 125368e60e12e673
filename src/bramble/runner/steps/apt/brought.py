"""Which packages came by bramble, over all services, and what came with them that dpkg does not know of.

Maintainer scripts and daemons make users, groups and folders that a purge leaves behind. They are found by their names
(a user or package that came, as in /var/lib/mysql for mariadb's user mysql), and only where nothing of the name was
there before.

Kept in one file beside the journal. While apt works, it holds what was there before, so that a run that was cut is made
up for by the next.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
from collections.abc import Iterable
from typing import Any, Optional

from ...dataclass import asdict, dataclass, field
from ...journal import FOLDER
from ...system import System
from ..filesystem import write
from . import status, transaction

FILE = f"{FOLDER}/packages.json"

#: Folders in which packages and daemons make folders of their own.
PARENTS = ("/etc", "/var/lib", "/var/log", "/var/cache", "/var/spool", "/run", "/srv", "/opt", "/home")


@dataclass
class Batch:
    """What one transaction brought.

    Attributes
    ----------
    packages, users, groups
        Names.
    there
        Paths below `PARENTS` of such names that were there before.
    written
        Files in /etc that maintainer scripts made, with the hash of their content.
    renewed
        Packages that were there in an older version than the new ones needed: the old and the new version.
    """

    packages: "list[str]" = field(default_factory=list)
    users: "list[str]" = field(default_factory=list)
    groups: "list[str]" = field(default_factory=list)
    there: "list[str]" = field(default_factory=list)
    written: "dict[str, str]" = field(default_factory=dict)
    renewed: "dict[str, list[str]]" = field(default_factory=dict)

    def names(self, path: str) -> bool:
        """Whether a path is called after something that came."""
        base = os.path.basename(path).split(".")[0]
        return any(base.startswith(name) for name in (*self.users, *self.groups)) or any(
            name == base or name.startswith(f"{base}-") for name in self.packages
        )

    def leftovers(self, system: System) -> "list[str]":
        """Paths that came with it and belong to no package."""
        return [path for path in sorted(_entries(system)) if self.names(path) and path not in self.there]


@dataclass
class Brought:
    """The file, read and written whole. ``rescued`` are files set aside while a purge is under way (`rescue`)."""

    batches: "list[Batch]" = field(default_factory=list)
    pending: Optional[Batch] = None
    rescued: "list[dict[str, Any]]" = field(default_factory=list)

    @property
    def packages(self) -> "set[str]":
        return {name for batch in self.batches for name in batch.packages}


def load(system: System) -> Brought:
    """What is known; what a cut left open is settled first, and noted."""
    known = read(system)
    return _settle(system, known) if known.pending else known


def read(system: System) -> Brought:
    """What is written down, without a change to anything."""
    try:
        with open(system.path(FILE)) as file:
            data = json.load(file)
    except FileNotFoundError:
        return Brought()
    pending = data.get("pending")
    batches = [Batch(**batch) for batch in data["batches"]]
    return Brought(batches, Batch(**pending) if pending else None, data["rescued"])


def save(system: System, known: Brought) -> None:
    """Write it; nothing is left of it when there is nothing to know."""
    path = system.path(FILE)
    if known == Brought():
        if os.path.exists(path):
            os.unlink(path)
        return
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    write(path, json.dumps(asdict(known)).encode(), 0o600, os.getuid(), os.getgid())


def expect(system: System) -> None:
    """Note what is there, just before apt installs something."""
    known = load(system)
    known.pending = Batch(users=_users(), groups=_groups(), there=sorted(_entries(system)))
    save(system, known)


def _settle(system: System, known: Brought) -> Brought:
    before = known.pending
    assert before is not None
    status.forget(system)
    came = transaction.arriving(system)
    renewed = {name: versions for name, versions in came.items() if versions[0] not in ("-", versions[1])}
    new = Batch(
        packages=sorted((set(came) - set(renewed) - known.packages) & status.present(system)),
        renewed={name: list(versions) for name, versions in renewed.items()},
        users=sorted(set(_users()) - set(before.users)),
        groups=sorted(set(_groups()) - set(before.groups)),
    )
    new.there = [path for path in before.there if new.names(path)]
    if new.packages:
        new.written = _written(system, new)
        known.batches.append(new)
    known.pending = None
    save(system, known)
    transaction.forget_arriving(system)
    return known


def brings(system: System, path: str) -> bool:
    """Whether a file is of a package that came by bramble."""
    # A unit file in /lib may be listed as in /usr/lib, and the other way round.
    names = {path, path[len("/usr") :] if path.startswith("/usr/") else f"/usr{path}"}
    return bool(names & status.files_of(system, load(system).packages))


def _written(system: System, batch: Batch) -> "dict[str, str]":
    owned = status.files_of(system, set(batch.packages))
    found = {}
    for top in batch.leftovers(system):
        if top.startswith("/etc/"):
            for path in files_below(system, top):
                if path not in owned:
                    found[path] = content_hash(system, path)
    return found


def files_below(system: System, top: str) -> "list[str]":
    """Everything below a path that is not a folder, or the path itself."""
    real = system.path(top)
    if not os.path.isdir(real) or os.path.islink(real):
        return [top]
    cut = len(real)
    return [top + os.path.join(folder, name)[cut:] for folder, _, names in os.walk(real) for name in names]


def content_hash(system: System, path: str) -> str:
    """The hash of a file; of a link's target for a link."""
    real = system.path(path)
    if os.path.islink(real):
        return hashlib.sha256(os.readlink(real).encode()).hexdigest()
    try:
        with open(real, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""  # a socket, or gone: nothing that could have been edited


def _entries(system: System) -> "Iterable[str]":
    for parent in PARENTS:
        real = system.path(parent)
        if os.path.isdir(real):
            yield from (f"{parent}/{name}" for name in os.listdir(real))


def _users() -> "list[str]":
    return [user.pw_name for user in pwd.getpwall()]


def _groups() -> "list[str]":
    return [group.gr_name for group in grp.getgrall()]
