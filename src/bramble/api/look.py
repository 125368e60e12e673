"""Verbs that only look: the state of clusters, the catalogue of services, earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, Unpack, get_args, get_origin

from .. import inventory
from .. import services as rooms
from ..engine.history import History, PastRun
from ..engine.report import Report
from ..errors import NotThere, PlanError
from ..model import Cluster
from ..runner import events
from ..runner.facts import Facts
from ..services import Service
from .job import Job, OnEvent
from .needs import require_deployed, wanted_by, with_needs
from .reach import Reach, job, resolve


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """What a service is on one host.

    Attributes
    ----------
    state
        ``in order``; ``differs``: what is there is not what was deployed (``differences`` says where);
        ``absent``: the cluster file has it, the host does not; ``left over``: the host has it, the cluster file does
        not; ``not known``: the host could not be asked, and its error in the report says why.
    differences
        Step and what would change, one line each.
    since
        When bramble last changed something for it on this host, seconds since the epoch; 0 where it never did.
    run
        The run that did.
    """

    host: str
    service: str
    state: str
    differences: tuple[str, ...] = ()
    since: float = 0.0
    run: str = ""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a service, as ``--set name=value`` takes it."""

    name: str
    type: str
    default: Any
    description: str


@dataclass(frozen=True, kw_only=True)
class ServiceInfo:
    """One line of the catalogue, with the options; ``loses`` is what its removal ends for good, if anything."""

    name: str
    summary: str
    needs: tuple[str, ...]
    options: tuple[Option, ...]
    loses: str = ""


async def status(service: str = "", **reach: Unpack[Reach]) -> Report:
    """What is deployed on each host, and whether it is still as it was deployed.

    Every host is compared with the plan: nothing is changed. ``report.data["services"]`` holds `ServiceState` values
    as JSON, one for each service and host.

    Parameters
    ----------
    service
        Only this one, and what it says of itself: ``report.data["seen"]`` holds titles of tables and their rows.

    Raises
    ------
    UsageError
        The service is not there, or not deployed on the cluster.
    """
    cluster = resolve(reach)
    _check_deployed(service, cluster)
    passed_on: OnEvent | None = reach.get("on_event")
    differences: dict[tuple[str, str], list[str]] = {}
    current = ""
    seen: dict[str, Any] = {}

    def watch(event: events.Event) -> None:
        if isinstance(event, events.StepDone):
            seen.update(event.seen)
        if isinstance(event, events.StepDone) and event.outcome in ("would-change", "unknown"):
            differences.setdefault((event.host, current), []).append(f"{event.step}: {event.summary}")
        if passed_on is not None:
            passed_on(event)

    watched: Reach = {**reach, "on_event": watch}
    at_work = job("status", cluster, watched, service, ("status", *filter(None, (service,))))
    at_work.dry = True
    states: list[ServiceState] = []

    async def work() -> None:
        nonlocal current
        await at_work.run.connect(lock=False)
        journals = await at_work.run.journals()
        needed = {room.name: name for name in cluster.services for room in with_needs(name)[:-1]}
        asked = [service] if service else sorted({*cluster.services, *needed})
        wanted = wanted_by(tuple(map(rooms.get, asked)))
        # A plan is about all hosts of a service, also where only some of them were asked about.
        facts = {**at_work.history.facts(cluster.name), **await at_work.facts(wanted)}
        whole = inventory.load(cluster.name) if cluster.file else cluster
        for current in asked:
            room = rooms.get(current)
            recorded = current if current in cluster.services else needed[current]
            everyone = inventory.of_service(whole, recorded, given=False)
            members = everyone.only(cluster.hostset)
            known = everyone.without([host.name for host in everyone.hosts if host.name not in facts])
            why = f"nothing is known of the manager {everyone.manager} yet"
            if everyone.manager in known.hostset:
                config = rooms.configure(room, inventory.options_of(cluster, current))
                why = await _compare(at_work, room, known, config, facts)
                if service and room.look is not None:
                    await at_work.carry_out(room.look(known, config, facts), "verify")
            for host in members.hosts:
                entries = [e for e in journals.get(host.name, ()) if e["service"] == current]
                found = differences.get((host.name, current), [])
                if why:
                    found = [f"not compared: {why}"]
                states.append(_state(host.name, current, entries, found, host.name in journals))
        if not service:
            states.extend(_left_over(journals, asked))
        at_work.data = {"services": [asdict(state) for state in states], **({"seen": seen} if seen else {})}

    return await at_work.do(work)


async def _compare(at_work: Job, room: Service, cluster: Cluster, config: Any, facts: Mapping[str, Facts]) -> str:
    """Find what differs from the plan of a service; why there is none, if these hosts could not have it now."""
    try:
        await at_work.carry_out(room.plan(cluster, config, facts), "check")
    except PlanError as error:
        return error.what  # says nothing against the other services
    return ""


def _check_deployed(service: str, cluster: Cluster) -> None:
    if service:
        require_deployed(rooms.get(service).name, cluster)


def _left_over(journals: Mapping[str, list[dict[str, Any]]], known: Iterable[str]) -> Iterator[ServiceState]:
    """What hosts have that the cluster file does not."""
    for host, entries in journals.items():
        for name in sorted({e["service"] for e in entries} - set(known)):
            latest = max((e for e in entries if e["service"] == name), key=lambda e: float(e["time"]))
            yield ServiceState(host=host, service=name, state="left over", since=latest["time"], run=latest["run"])


def _state(
    host: str,
    service: str,
    entries: list[dict[str, Any]],
    differences: list[str],
    reached: bool,
) -> ServiceState:
    if not reached:
        return ServiceState(host=host, service=service, state="not known")
    if not entries:
        return ServiceState(host=host, service=service, state="absent")
    latest = max(entries, key=lambda e: float(e["time"]))
    return ServiceState(
        host=host,
        service=service,
        state="differs" if differences else "in order",
        differences=tuple(differences),
        since=latest["time"],
        run=latest["run"],
    )


async def services(name: str = "") -> tuple[ServiceInfo, ...]:
    """The catalogue, or one service of it, with all options.

    Raises
    ------
    UsageError
        There is no service of this name.
    """
    found = []
    for one in (name,) if name else rooms.names():
        room = rooms.get(one)
        options = tuple(
            Option(
                name=option,
                type=_type_name(field.annotation),
                default=None if field.is_required() else field.get_default(call_default_factory=True),
                description=field.description or "",
            )
            for option, field in room.config.model_fields.items()
        )
        info = ServiceInfo(name=room.name, summary=room.summary, needs=room.needs, options=options, loses=room.loses)
        found.append(info)
    return tuple(found)


def _type_name(annotation: Any) -> str:
    """A type in a person's words: ``list of Partition``, ``none | pmix``."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(inner[0])
    if origin is Literal:
        return " | ".join(map(str, inner))
    if origin in (Union, UnionType):
        return " | ".join(_type_name(one) for one in inner if one is not NoneType)
    if origin in (tuple, list, frozenset, set):
        return f"list of {_type_name(inner[0])}"
    if origin is not None and len(inner) == 2:
        return f"{_type_name(inner[0])}: {_type_name(inner[1])}"
    words = {str: "text", bool: "true | false", int: "number", float: "number"}
    return words.get(annotation, getattr(annotation, "__name__", str(annotation)))


async def runs(
    limit: int = 50,
    *,
    before: str = "",
    cluster: str = "",
    service: str = "",
    verb: str = "",
    state: str = "",
    brief: bool = False,
) -> tuple[PastRun, ...]:
    """The latest runs of this user, newest first, without their steps.

    Parameters
    ----------
    limit
        So many at most.
    before
        Only those that are older than the run of this id.
    cluster, service, verb, state
        Only those of it; ``state`` as in `PastRun`.
    brief
        Their reports without ``hosts`` and ``data``: what a list needs.
    """
    history = History(inventory.folders.history())
    wanted = {"before": before, "cluster": cluster, "service": service, "verb": verb, "state": state}
    return tuple(history.runs(limit, **wanted, brief=brief))


async def run_of(id: str) -> PastRun:
    """One run, with what each step did on each host and how long it took.

    Parameters
    ----------
    id
        The run's id, or a beginning of it that no other run has.

    Raises
    ------
    NotThere
        No run, or more than one, begins like this.
    """
    found = History(inventory.folders.history()).run(id)
    if found is None:
        raise NotThere(f"no single run begins with {id!r}", hint="bramble runs")
    return found
