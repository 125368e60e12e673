"""The cluster files of this user: listed, loaded, and changed where a verb asks for it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable

from ..errors import NotThere, UsageError
from ..model import Cluster, Host, HostSet, choose_manager
from . import folders, storage
from .build import build, read
from .document import Document
from .edit import put
from .roster import with_ways

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def names() -> tuple[str, ...]:
    """All clusters that have a file, sorted."""
    return tuple(sorted(path.stem for path in folders.clusters().glob("*.yaml") if _NAME.fullmatch(path.stem)))


def load(name: str) -> Cluster:
    """The cluster of this name.

    Raises
    ------
    NotThere
        There is none; a near miss is named.
    ClusterFileError
        Its file has a mistake in it.
    """
    path = folders.cluster_file(name)
    if not _NAME.fullmatch(name) or not path.exists():
        known = names()
        close = difflib.get_close_matches(name, known, 1)
        there = f"there are: {', '.join(known)}" if known else "there are none yet"
        raise NotThere(f"there is no cluster {name!r}", hint=f"did you mean {close[0]!r}?" if close else there)
    return build(read(path), name)


def new_name(manager: str) -> str:
    """What a cluster without a name is called: like its manager, in characters that a file name may have."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", manager).strip("-.") or "cluster"


def of_entries(entries: HostSet) -> Cluster:
    """A cluster without a file, of these hosts alone.

    Raises
    ------
    UsageError
        There are none, or one is named in two ways.
    """
    hosts = tuple(Host.parse(entry) for entry in entries)
    check_unique(hosts)
    manager, rule = choose_manager([host.name for host in hosts])
    return Cluster(name=new_name(manager), hosts=hosts, manager=manager, manager_rule=rule)


def check_unique(hosts: Iterable[Host]) -> None:
    """Raise UsageError where two of these hosts are the same one with two users or ports."""
    seen = set()
    for host in hosts:
        if host.name in seen:
            raise UsageError(f"{host.name} is named with two users or ports", hint="name it once")
        seen.add(host.name)


def check_name(name: str) -> None:
    """Raise UsageError where a cluster cannot be called so: its file would have that name."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be a cluster's name", hint="letters, digits and . _ - make one")


def create(cluster: Cluster) -> Cluster:
    """Write a new file for a cluster; its hosts and the way to them, without services.

    Raises
    ------
    UsageError
        There is a file of this name.
    """
    path = folders.cluster_file(cluster.name)
    with storage.locked(path):
        if path.exists():
            raise UsageError(f"there is a cluster {cluster.name} already, of other hosts", hint=f"its file is {path}")
        document = Document(f"hosts: {json.dumps(str(cluster.hostset))}\n", str(path))
        first = cluster.hosts[0]
        for key in ("user", "port", "key", "jump", "known_hosts"):
            value = getattr(first, key)
            if value and all(getattr(host, key) == value for host in cluster.hosts):
                document = put(document, (key,), value)
        document = with_ways(document, cluster)
        if choose_manager(cluster.hostset.names)[0] != cluster.manager:
            document = put(document, ("manager",), cluster.manager)
        created = build(document, cluster.name)
        storage.replace(path, document.text)
    return created


def change(name: str, edit: Callable[[Document, Cluster], Document]) -> Cluster:
    """Change a cluster's file by ``edit``, which gets the file and the cluster it describes now.

    Nothing is written if nothing changes, or if what comes out is no valid cluster file.
    """
    path = folders.cluster_file(name)
    with storage.locked(path):
        document = read(path)
        cluster = build(document, name)
        edited = edit(document, cluster)
        if edited.text == document.text:
            return cluster
        changed = build(edited, name)
        storage.replace(path, edited.text)
    return changed
