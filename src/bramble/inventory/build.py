"""From a cluster file's values to a `Cluster`: what one key says about another is checked here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import ClusterFileError, HostExpressionError, UsageError
from ..model import GROUPS, Cluster, Deployment, Entry, Host, HostSet, choose_manager
from . import document as documents
from .document import Document
from .schema import ClusterFile, validate


def read(path: Path) -> Document:
    """The text of a cluster file.

    Raises
    ------
    ClusterFileError
        It cannot be read, or is no YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ClusterFileError(f"it cannot be read: {error.strerror}", file=str(path)) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ClusterFileError("this is no UTF-8 text", file=str(path), line=line) from None
    return Document(text, str(path))


def build(document: Document, name: str) -> Cluster:
    """The cluster that a file describes.

    Raises
    ------
    ClusterFileError
        The first mistake in it.
    """
    return _Builder(document, validate(document)).cluster(name)


def usual(document: Document) -> Host:
    """A host, without a name, that goes the way that the file tells for all.

    Raises
    ------
    ClusterFileError
        The first mistake in it.
    """
    return _Builder(document, validate(document)).usual()


class _Builder:
    def __init__(self, document: Document, values: ClusterFile) -> None:
        self.document = document
        self.values = values
        self.folder = Path(document.file).parent
        self.names = HostSet()
        self.groups: dict[str, HostSet] = {}

    def cluster(self, name: str) -> Cluster:
        entries = [Entry.parse(entry) for entry in self._expand(self.values.hosts, ("hosts",))]
        self.names = HostSet(entry.name for entry in entries)
        self._check_unique(entries)
        labels = self._labels()
        addresses = self._addresses()
        manager = self._manager(self.values.manager, self.names, ("manager",))
        plain = self.names - {manager[0]}
        self.groups = dict(zip(GROUPS, (self.names, HostSet([manager[0]]), plain), strict=True))
        for group, expressions in self.values.groups.items():
            if group in GROUPS:
                self.document.fail("every cluster has this group by itself", ("groups", group))
            self.groups[group] = self._members(expressions, ("groups", group))
        return Cluster(
            name=name,
            hosts=tuple(self._host(entry, addresses, labels) for entry in entries),
            manager=manager[0],
            manager_rule=manager[1],
            groups={group: hosts for group, hosts in self.groups.items() if group not in GROUPS},
            services={service: self._deployment(service) for service in self.values.services},
            cards=self.values.cards.model_dump(exclude_unset=True),
            file=self.document.file,
        )

    def _host(self, entry: Entry, addresses: Mapping[str, Entry], labels: Mapping[str, dict[str, str]]) -> Host:
        way = addresses.get(entry.name, Entry(name=""))
        usual = self.usual()
        return replace(
            usual,
            name=entry.name,
            address=way.name if way.name != entry.name else "",
            user=entry.user or way.user or usual.user,
            port=entry.port or way.port or usual.port,
            labels=labels.get(entry.name, {}),
        )

    def usual(self) -> Host:
        values = self.values
        return Host(
            name="",
            user=values.user,
            port=values.port,
            key=self._file(values.key),
            jump=values.jump,
            known_hosts=self._file(values.known_hosts),
        )

    def _file(self, name: str) -> str:
        return str(self.folder / Path(name).expanduser()) if name else ""

    def _labels(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for expression, labels in self.values.labels.items():
            for host in self._members((expression,), ("labels", expression)):
                found[host] = {**found.get(host, {}), **labels}
        return found

    def _addresses(self) -> dict[str, Entry]:
        found: dict[str, Entry] = {}
        for expression, text in self.values.addresses.items():
            path = ("addresses", expression)
            hosts, addresses = self._members((expression,), path), self._expand((text,), path)
            if len(hosts) != len(addresses):
                self.document.fail(f"{len(hosts)} hosts and {len(addresses)} addresses do not make pairs", path)
            found.update((host, Entry.parse(address)) for host, address in zip(hosts, addresses, strict=True))
        return found

    def _deployment(self, service: str) -> Deployment:
        entry = self.values.services[service]
        path = ("services", service)
        hosts = self._members(entry.hosts, (*path, "hosts")) if entry.hosts else None
        if entry.manager:
            self._manager(entry.manager, hosts or self.names, (*path, "manager"))
        options = dict(entry.model_extra or {})
        return Deployment(options=options, hosts=hosts, manager=entry.manager, upgrading=entry.upgrading)

    def _manager(self, wanted: str, names: HostSet, path: documents.Path) -> tuple[str, str]:
        try:
            return choose_manager(names.names, in_file=wanted)
        except UsageError as error:
            self.document.fail(error.what, path, hint=error.hint)

    def _members(self, expressions: Iterable[str], path: documents.Path) -> HostSet:
        found = self._expand(expressions, path)
        strangers = found - self.names
        if strangers:
            self.document.fail(f"{strangers} is not among the hosts", path, hint=f"the hosts are {self.names}")
        return found

    def _expand(self, expressions: Iterable[str], path: documents.Path) -> HostSet:
        found = HostSet()
        for number, expression in enumerate(expressions):
            try:
                found |= HostSet.parse(expression, self.groups)
            except HostExpressionError as error:
                place = (*path, number) if self.document.node((*path, number)) else path
                what = f"{error.what}: {error.expression!r}, at character {error.position + 1}"
                self.document.fail(what, place, hint=error.hint)
        if not found:
            self.document.fail("these are no hosts at all", path)
        return found

    def _check_unique(self, entries: list[Entry]) -> None:
        seen: dict[str, Entry] = {}
        for entry in entries:
            if entry.name in seen:
                self.document.fail(f"{seen[entry.name]} and {entry} are one host under two ways", ("hosts",))
            seen[entry.name] = entry
