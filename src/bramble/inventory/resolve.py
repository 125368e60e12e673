"""Which cluster is meant: by name, by its hosts, or because it is the only one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..model import Cluster, Entry, Host, HostSet, choose_manager
from . import clusters
from .build import build, read, usual

#: What ``--user`` and its like can tell of all hosts at once.
_WAY = ("user", "port", "key", "jump")


def resolve(
    *,
    hosts: str = "",
    cluster: str = "",
    manager: str = "",
    user: str = "",
    port: int = 0,
    key: str = "",
    jump: str = "",
) -> Cluster:
    """The one cluster that is meant, narrowed to ``hosts`` where they are given. Nothing is contacted or written.

    With ``hosts`` alone, the file that knows them tells the way to them: hosts that it does not know go the way of the
    others. Where no file knows any, a new cluster is made of them, named after its manager.

    Parameters
    ----------
    hosts
        A host expression. ``@group`` needs a cluster.
    cluster
        Name of a cluster file.
    manager
        See `choose_manager`.
    user, port, key, jump
        For this run, instead of what the cluster file says.

    Raises
    ------
    UsageError
        None or several are meant, or a name or expression has a mistake in it.
    ClusterFileError
        A file that has to be read has a mistake in it.
    """
    found = resolve_all(hosts=hosts, cluster=cluster, manager=manager, user=user, port=port, key=key, jump=jump)
    if len(found) > 1:
        names = ", ".join(each.name for each in found)
        raise UsageError(f"{names}: several clusters where one is wanted", hint=f"--cluster {found[0].name}")
    return found[0]


def resolve_all(*, hosts: str = "", cluster: str = "", manager: str = "", **way: Any) -> tuple[Cluster, ...]:
    """As `resolve`, for several clusters: ``cluster`` may be ``red,blue``."""
    named = [name.strip() for name in cluster.split(",") if name.strip()]
    if named:
        found = [clusters.load(name) for name in dict.fromkeys(named)]
        narrowed = [_narrowed(each, each.parse(hosts), strict=True) for each in found] if hosts else found
    elif hosts:
        narrowed = [_by_hosts(hosts)]
    else:
        narrowed = [clusters.load(only_one(clusters.names()))]
    return tuple(_with_manager(_with_way(each, **way), manager) for each in narrowed)


def groups(cluster: str = "") -> dict[str, HostSet]:
    """Name → hosts of the groups of a cluster, or of the only one there is; none where there are several or none."""
    known = [cluster] if cluster else clusters.names()
    return clusters.load(known[0]).every_group if len(known) == 1 else {}


def with_hosts(cluster: Cluster, entries: HostSet) -> Cluster:
    """The cluster and further hosts, each as the cluster's file knows it, else on the way that all go.

    What this run was told instead (``--user``) holds for them, too.
    """
    common = {field: _common(cluster.hosts, field) for field in _WAY}
    if cluster.file:
        document = read(Path(cluster.file))
        known = {host.name: host for host in build(document, cluster.name).hosts}
        stranger = usual(document)
        differing = [
            f for f in _WAY for h in cluster.hosts if h.name in known and getattr(h, f) != getattr(known[h.name], f)
        ]
        told = {field: common[field] for field in differing if common[field]}
    else:
        known, stranger, told = {}, Host(name="", **common), {}
    hosts = []
    for host in map(Host.parse, entries - cluster.hostset):
        found = replace(known.get(host.name, replace(stranger, name=host.name)), **told)
        hosts.append(replace(found, user=host.user or found.user, port=host.port or found.port))
    return cluster.with_hosts(host for host in hosts if host.name not in cluster.hostset)


def only_one(known: Sequence[str]) -> str:
    """The cluster that is meant where neither a cluster nor a host is named: the only one of these.

    Raises
    ------
    UsageError
        There is none, or more than one.
    """
    if len(known) == 1:
        return known[0]
    if not known:
        raise UsageError("no hosts are named, and there is no cluster yet", hint='--hosts "red,red[01-02]"')
    raise UsageError(f"there are several clusters, and none is named: {', '.join(known)}", hint=f"--cluster {known[0]}")


def having(wanted: HostSet, known: Mapping[str, HostSet]) -> str:
    """The cluster that is meant by hosts alone: the one that has them all, else the one that has some; empty for none.

    Parameters
    ----------
    known
        The hosts of each cluster.

    Raises
    ------
    UsageError
        There is more than one.
    """
    sharing = [name for name, hosts in known.items() if hosts & wanted]
    whole = [name for name in sharing if not wanted - known[name]]
    fitting = whole or sharing
    if len(fitting) > 1:
        raise UsageError(f"{wanted} is in several clusters: {', '.join(fitting)}", hint=f"--cluster {fitting[0]}")
    return fitting[0] if fitting else ""


def _by_hosts(expression: str) -> Cluster:
    known = [clusters.load(name) for name in clusters.names()]
    entries = known[0].parse(expression) if len(known) == 1 else HostSet.parse(expression)
    if not entries:
        raise UsageError(f"{expression!r} stands for no hosts at all")
    wanted = HostSet(Entry.parse(entry).name for entry in entries)
    meant = having(wanted, {cluster.name: cluster.hostset for cluster in known})
    found = next((cluster for cluster in known if cluster.name == meant), None)
    return _narrowed(found, entries) if found else clusters.of_entries(entries)


def _narrowed(cluster: Cluster, entries: HostSet, *, strict: bool = False) -> Cluster:
    wanted = [Host.parse(entry) for entry in entries]
    clusters.check_unique(wanted)
    names = HostSet(host.name for host in wanted)
    strangers = names - cluster.hostset
    if strict and strangers:
        raise UsageError(
            f"{strangers} is not in the cluster {cluster.name}",
            hint=f"its hosts are {cluster.hostset}; bramble hosts add {strangers} --cluster {cluster.name}",
        )
    if not names:
        raise UsageError(f"these are no hosts of the cluster {cluster.name} at all")
    everyone = with_hosts(cluster, strangers)
    hosts = []
    for host in wanted:
        known = everyone.host(host.name)
        hosts.append(replace(known, user=host.user or known.user, port=host.port or known.port))
    if cluster.manager in names:
        return replace(cluster, hosts=tuple(hosts))
    manager, rule = choose_manager(names.names)
    return replace(cluster, hosts=tuple(hosts), manager=manager, manager_rule=rule)


def _with_way(cluster: Cluster, *, user: str = "", port: int = 0, key: str = "", jump: str = "") -> Cluster:
    key = str(Path(key).expanduser().absolute()) if key else ""
    told: dict[str, Any] = {"user": user, "port": port, "key": key, "jump": jump}
    told = {name: value for name, value in told.items() if value}
    return replace(cluster, hosts=tuple(replace(host, **told) for host in cluster.hosts)) if told else cluster


def _with_manager(cluster: Cluster, asked: str) -> Cluster:
    if not asked:
        return cluster
    manager, rule = choose_manager(cluster.hostset.names, asked)
    # A cluster without a file is named after its manager.
    name = cluster.name if cluster.file else clusters.new_name(manager)
    return replace(cluster, name=name, manager=manager, manager_rule=rule)


def _common(hosts: Iterable[Host], field: str) -> Any:
    values = {getattr(host, field) for host in hosts}
    return values.pop() if len(values) == 1 else getattr(Host(name=""), field)
