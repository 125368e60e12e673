"""Services: one room each, and the one list of them.

A room is a package here, or one that another distribution offers under the entry point ``bramble.services``. Its
``SERVICE`` is all that the rest of bramble knows of it. Rooms never import each other; ``needs`` joins them.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import BaseModel, ValidationError

from ..artifact import Artifact
from ..errors import NotThere, PlanError, UsageError
from ..model import Cluster
from ..plan import Plan
from ..runner.facts import Facts
from ..runner.secret import Secret

#: Where programs of bramble's are kept on a host, a folder for each; several services may be there.
LIBRARY = "/usr/local/lib/bramble"

#: Where services find Java, whichever the release brings: what they call JAVA_HOME. The service `java` puts it there.
JAVA = f"{LIBRARY}/java"

#: ``(cluster, config, facts by host) -> Plan``: pure, without I/O, the same result for the same values.
Planner = Callable[[Cluster, Any, Mapping[str, Facts]], Plan]

#: As `Planner` for the options of after, and the version that is there before.
Upgrader = Callable[[Cluster, Any, Mapping[str, Facts], str], Plan]

#: As `Planner`, and the names of the hosts that are about to leave.
Leaver = Callable[[Cluster, Any, Mapping[str, Facts], tuple[str, ...]], Plan]

#: ``(config, architectures of its hosts) -> artifacts``, pure as well.
Catalogue = Callable[[Any, Iterable[str]], tuple[Artifact, ...]]


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """How the person who deployed a cluster reaches its API server, as ``kubectl`` wants to know it.

    Attributes
    ----------
    server
        URL.
    authority
        The certificate by which the server is believed.
    signer, signer_key
        The authority that signs the person's own certificate, and its key.
    group
        What the person is there a member of.
    """

    server: str
    authority: Secret
    signer: Secret
    signer_key: Secret
    group: str


@dataclass(frozen=True, kw_only=True)
class Backup:
    """How what a service knows is kept apart from its hosts, and brought back to them.

    Attributes
    ----------
    take
        A command for the manager; it leaves what is to be kept in the folder that is its last word. The service's
        secrets are kept besides.
    secrets
        Those without which nobody can use what was kept: a service with others is another one.
    onto
        ``(cluster, config)`` → the hosts that get these files back, in `runner.backup.LAID`, before a plan is carried
        out there.
    restore
        What brings them into a service that is there.
    anew
        What deploys the service with them.
    """

    take: tuple[str, ...]
    secrets: tuple[Secret, ...]
    onto: Callable[[Cluster, Any], tuple[str, ...]]
    restore: Planner
    anew: Planner


@dataclass(frozen=True, kw_only=True)
class OwnFile:
    """A file of the user's own with a secret in it, such as logins at registries.

    Attributes
    ----------
    option
        The one that names it.
    secret
        What it becomes; its size is 0, for nobody can make it up. bramble keeps a copy.
    read
        ``content -> (what hosts get, what a person is told of it)``. Raises `ValueError` where it is not such a file,
        with nothing of it in the message.
    hint
        How one comes by such a file.
    public
        Whether everybody may read it.
    """

    option: str
    secret: Secret
    read: Callable[[bytes], tuple[bytes, str]]
    hint: str = ""
    public: bool = False


def _nothing(_config: object, _architectures: Iterable[str]) -> tuple[Artifact, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Service:
    """What bramble knows of a service.

    Attributes
    ----------
    name
        As in ``bramble deploy NAME``.
    summary
        One line for ``bramble services``.
    config
        Its options: a frozen pydantic model whose fields have descriptions.
    plan
        What is to be done on each host. Raises `PlanError` where these hosts cannot have it.
    verify
        Probes that prove that it does its work.
    deep
        Further probes that take longer and stop something for a while: ``bramble verify NAME --deep``. None where
        there are none.
    look
        `Look` steps: what a person wants to know of it now: ``bramble status NAME``. None where that is nothing.
    leave
        What must be done before hosts leave (draining); None where nothing must.
    versions
        Those it can be brought to, oldest first, where it does not simply have the distribution's. It has an option
        ``version`` then, which stays as it is until an upgrade.
    fixed
        Options that cannot change while the service is there.
    own_files
        Options that name a file of the user's own with a secret in it.
    upgrade
        What brings it from one version to a later one. Raises `PlanError` where there is no way.
    backup
        How what it knows is kept and brought back; None where it cannot be.
    artifacts
        All that ``plan`` may bring to hosts of these architectures, so that it can be had before there are any.
    packages
        Debian packages whose installed versions ``plan`` wants to find in the facts.
    ports
        TCP ports of which ``plan`` wants to know who listens there.
    paths
        Absolute paths of which ``plan`` wants to know whether they exist.
    needs
        Services that must be deployed first, in this order.
    entrance
        Of a cluster that ``kubectl`` speaks to: how; it goes into the kubeconfig of the person who deploys. Returns
        None where that is not wanted.
    follows
        Services after which it is brought up to date, too, where it is deployed: what it does on a host depends on
        whether they are there. It goes with them to hosts that they join, and from hosts that they leave. Its hosts
        have nothing to do with each other.
    begins
        The command that deploys it first, where it needs something of the user's own for that; empty for
        ``bramble deploy NAME``.
    loses
        What its removal ends for good, for the question before it: ``jobs that run or wait``; empty for nothing.
    """

    name: str
    summary: str
    config: type[BaseModel]
    plan: Planner
    verify: Planner
    deep: Planner | None = None
    look: Planner | None = None
    leave: Leaver | None = None
    versions: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    own_files: tuple[OwnFile, ...] = ()
    upgrade: Upgrader | None = None
    backup: Backup | None = None
    artifacts: Catalogue = _nothing
    packages: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    paths: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    entrance: Callable[[Cluster, Any, Mapping[str, Facts]], Entrance | None] | None = None
    follows: tuple[str, ...] = ()
    begins: str = ""
    loses: str = ""


def _foreign() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="bramble.services")}


def names() -> tuple[str, ...]:
    """All services there are, sorted. Imports none of them."""
    own = {module.name for module in pkgutil.iter_modules(__path__) if module.ispkg}
    return tuple(sorted(own | set(_foreign())))


def get(name: str) -> Service:
    """The service of this name.

    Raises
    ------
    NotThere
        There is none; a near miss is named.
    """
    foreign = _foreign()
    if name in names():
        found = foreign[name].load() if name in foreign else importlib.import_module(f"{__name__}.{name}").SERVICE
        assert isinstance(found, Service)
        return found
    close = difflib.get_close_matches(name, names(), 1)
    raise NotThere(
        f"there is no service {name!r}",
        hint=f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names())}  (bramble services)",
    )


def configure(service: Service, options: Mapping[str, object]) -> BaseModel:
    """The service's options from text or YAML values.

    Raises
    ------
    UsageError
        An unknown option (a near miss is named) or a value that does not fit; all faults in one message.
    """
    known = list(service.config.model_fields)
    faults = []
    hint = ""
    for name in options:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            faults.append(f"{name}: there is no such option")
            hint = f"did you mean {close[0]!r}?" if close else ""
    config: BaseModel | None = None
    try:
        config = service.config.model_validate({k: v for k, v in options.items() if k in known})
    except ValidationError as error:
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"]) or "options"
            faults.append(f"{place}: {fault['msg'].removeprefix('Value error, ')} (given: {fault['input']!r})")
    if config is None or faults:
        raise UsageError(
            f"{service.name}: " + "; ".join(faults),
            hint=hint or f"all options and what they take: bramble services {service.name}",
        )
    return config


__all__ = [
    "LIBRARY",
    "Backup",
    "Catalogue",
    "Entrance",
    "Leaver",
    "OwnFile",
    "PlanError",
    "Planner",
    "Service",
    "Upgrader",
    "configure",
    "get",
    "names",
]
