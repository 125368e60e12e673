"""Verbs that change hosts: deploy, scale, remove."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Unpack

from .. import inventory, services
from ..engine.report import Report
from ..errors import UsageError
from ..model import Cluster, HostSet
from ..plan import Plan
from ..runner.facts import Facts
from ..services import Service
from . import kubeconfig
from .follow import Follower, followers, plans, plans_without
from .job import Job
from .needs import dependents, require_deployed, wanted_besides, wanted_by, with_needs
from .own_files import bring
from .reach import Reach, job, resolve
from .verify import prove
from .versions import require_settled


async def deploy(
    service: str,
    *,
    options: Mapping[str, object] | None = None,
    dry_run: bool = False,
    verify: bool = True,
    **reach: Unpack[Reach],
) -> Report:
    """Bring a service up on hosts, and prove that it works. A second call changes nothing.

    Parameters
    ----------
    service
        Its name; `services()` lists them.
    options
        The service's own options; they are kept in the cluster file, and given ones replace kept ones. One that names
        a file with a secret may be a `Secret` with its value instead, which is not.
    dry_run
        Tell what would change, and change nothing.
    verify
        Prove at the end that the service does its work.

    Returns
    -------
    Report
        With what was changed on each host; ``verified`` says whether it works.

    Raises
    ------
    UsageError
        A mistake in what was asked; no host was contacted.
    PlanError
        These hosts cannot have the service; nothing was changed.
    """
    room = services.get(service)
    cluster = inventory.of_service(resolve(reach), service, given=bool(reach.get("hosts")))
    recorded = inventory.options_of(cluster, service)
    brought = bring(room, cluster.name, recorded, options or {})
    chosen = brought.options
    require_settled(room, cluster, chosen)
    config = services.configure(room, chosen)
    if room.begins and not chosen:
        raise UsageError(f"{service} need something of yours first", hint=room.begins)
    if room.versions:
        chosen["version"] = getattr(config, "version")  # noqa: B009 — services with versions have such an option
    words = [f"--set={name}={chosen[name]}" for name in options or {}]
    at_work = job("deploy", cluster, reach, service, ("deploy", service, *words))
    at_work.dry = dry_run
    at_work.bring(brought.contents)
    kubeconfig.check(room, cluster)

    async def work() -> None:
        at_work.note(f"{cluster.manager} is the manager: {cluster.manager_rule}")
        for text in brought.notes:
            at_work.note(text)
        await at_work.run.connect(lock=not dry_run)
        facts = await at_work.facts(wanted_by(with_needs(service)))
        await bring_up(at_work, room, cluster, chosen, facts)
        await kubeconfig.grant(at_work, room, cluster, config, facts)
        if verify and not dry_run:
            await prove(at_work, room, cluster, config, facts)

    return await at_work.do(work)


async def bring_up(
    at_work: Job, room: Service, cluster: Cluster, options: Mapping[str, object], facts: Mapping[str, Facts]
) -> None:
    """Record a service with these options, and bring it up on its hosts."""
    joining = cluster.hostset - cluster.members_of(room.name) if room.name in cluster.services else HostSet()
    following = followers(cluster, room.name, joining)

    def record() -> None:
        inventory.save_service(cluster, room.name, options)
        for follower in following:
            follower.record()

    await bring_about(at_work, room, cluster, services.configure(room, options), facts, following, record)


async def bring_about(
    at_work: Job,
    room: Service,
    cluster: Cluster,
    config: Any,
    facts: Mapping[str, Facts],
    following: tuple[Follower, ...] = (),
    record: Callable[[], None] | None = None,
) -> None:
    """Carry out the plan for these hosts, then put back what an earlier plan wanted and this one does not.

    What the service needs comes before it, what follows it comes after; and where they are not wanted any more, they go
    the other way round.

    Parameters
    ----------
    record
        Writes down what is about to be there: when nothing is refused any more, and nothing is changed yet, so that a
        run that is cut off can be found and gone on with.
    """
    if not at_work.run.alive:
        return
    made = plans(room, cluster, config, facts, at_work.cluster, following)
    if not at_work.dry:
        await at_work.fetch(made)
        if record is not None:
            record()
    for follower in following:
        at_work.note(follower.note(room.name))
    for plan in made:
        for text in plan.notes:
            at_work.note(text)
        await at_work.carry_out(plan, "check" if at_work.dry else "apply")
    for plan in reversed(made):
        await _put_back(at_work, plan, {room.name, *(follower.room.name for follower in following)})


async def _put_back(at_work: Job, plan: Plan, changing: Collection[str]) -> None:
    """Put back what a plan does not want any more.

    What somebody wanted for itself, or something else needs, is theirs to put back.
    """
    besides = wanted_besides(at_work.cluster, plan.service, changing)
    if plan.service in changing:
        besides -= HostSet(plan.hosts)
    wanted = {host: plan.resources(host) for host in plan.hosts}
    title = "Put back what is no longer wanted"
    await at_work.run.undo(plan.service, purge=False, dry=at_work.dry, wanted=wanted, besides=besides, title=title)


async def scale(
    service: str,
    *,
    add: str = "",
    drop: str = "",
    dry_run: bool = False,
    verify: bool = True,
    **reach: Unpack[Reach],
) -> Report:
    """Add hosts to a deployed service, or take hosts out of it, without disturbing the others.

    Parameters
    ----------
    add, drop
        Host expressions. A host that is dropped is drained first, then left as it was found. One that cannot be
        reached can be dropped, too: then nothing is put back on it, and the report says so. Dropped once more when it
        is back, or after a run that was cut off, it is put back then.
    dry_run, verify
        As in `deploy`.

    Raises
    ------
    UsageError
        Nothing to add or drop; a host to drop that is not there; the manager among the dropped.
    """
    room = services.get(service)
    whole = resolve(reach)
    require_settled(room, whole, {})
    before = inventory.of_service(whole, service, given=False)
    adding, dropping = whole.parse(add), whole.parse(drop)
    _check_scale(service, whole, before.manager, adding, dropping)
    members = inventory.with_hosts(before, adding)
    # What is no longer recorded may still be there: an earlier run was cut off, or the host was.
    everyone = inventory.with_hosts(members, dropping)
    after = everyone.without(dropping.names)
    chosen = inventory.options_of(before, service)
    config = services.configure(room, chosen)
    words = [word for name, value in (("--add", add), ("--drop", drop)) if value for word in (name, value)]
    at_work = job("scale", everyone, reach, service, ("scale", service, *words))
    at_work.dry = dry_run
    leaving = tuple(dropping.names)
    draining = tuple(name for name in leaving if name in before.hostset.names)

    async def work() -> None:
        await at_work.run.connect(lock=not dry_run)
        facts = await at_work.facts(wanted_by(with_needs(service)))
        following = followers(everyone, service, adding, dropping)
        if at_work.run.alive:
            plans(room, after, config, facts, everyone, following)  # what is refused is so before anything leaves
        if draining and room.leave is not None:
            known = members.without([host.name for host in members.hosts if host.name not in facts])
            plan = room.leave(known, config, facts, draining)
            await at_work.carry_out(plan, "check" if dry_run else "apply")
            if everyone.manager not in at_work.run.alive:
                return
        if not dry_run:
            inventory.save_service(after, service, chosen, dropped=leaving)
            for follower in following:
                follower.record()
        # The hosts that leave are put back by this, too: the plan no longer wants anything on them.
        await bring_about(at_work, room, after, config, facts, following)
        for host in leaving:
            if host not in at_work.run.alive:
                at_work.note(f"{host} is out of {service}, but could not be put back as it was found")
        if verify and not dry_run:
            await prove(at_work, room, after, config, facts)

    return await at_work.do(work)


def _check_scale(service: str, cluster: Cluster, manager: str, adding: HostSet, dropping: HostSet) -> None:
    if not adding and not dropping:
        raise UsageError("nothing to add and nothing to drop", hint=f"bramble scale {service} --add red03")
    require_deployed(service, cluster)
    missing = [name for name in dropping.names if name not in cluster.hostset.names]
    if missing:
        raise UsageError(
            f"{', '.join(missing)}: not in the cluster {cluster.name}", hint=f"its hosts are {cluster.hostset}"
        )
    if manager in dropping.names:
        raise UsageError(
            f"{manager} manages {service} and cannot be dropped",
            hint=f"take the service off all hosts: bramble remove {service}",
        )
    both = [name for name in adding.names if name in dropping.names]
    if both:
        raise UsageError(f"{', '.join(both)}: both to add and to drop")


async def remove(
    service: str,
    *,
    purge: bool = False,
    dry_run: bool = False,
    **reach: Unpack[Reach],
) -> Report:
    """Take a service off all its hosts, and leave each as it was found.

    What another service still needs stays; a file that somebody changed since stays, and the report names it; data
    stays unless ``purge``. On hosts that do not have the service, nothing happens.

    Parameters
    ----------
    purge
        The service's data go, too.
    dry_run
        Tell what would be put back, and change nothing.
    """
    rooms = with_needs(service)
    cluster = inventory.of_service(resolve(reach), service, given=bool(reach.get("hosts")))
    needing = dependents(cluster, service)
    if needing:
        raise UsageError(
            f"{', '.join(needing)} needs {service}, and would not work without it",
            hint=f"bramble remove {needing[0]}: what it needs, and nothing else does, goes along",
        )
    names = [room.name for room in reversed(rooms)]
    # On each host, what it needs stays where something else needs it.
    staying = {name: wanted_besides(cluster, name, [service]) if name != service else HostSet() for name in names}
    leaving = [name for name in names if cluster.hostset - staying[name]]
    following = followers(cluster, service)
    words = ("--purge",) if purge else ()
    at_work = job("remove", cluster, reach, service, ("remove", service, *words))
    at_work.dry = dry_run

    async def work() -> None:
        await at_work.run.connect(lock=not dry_run)
        journals = await at_work.run.journals()
        having = [host for host, entries in journals.items() if any(e["service"] == service for e in entries)]
        if not having:
            at_work.note(f"{service} is not on {HostSet(at_work.run.alive)}: nothing to do")
        if following:
            # What they did because of it goes before it does.
            facts = await at_work.facts(wanted_by(tuple(one.room for one in following)))
            for plan in plans_without(service, cluster, facts, following):
                await _put_back(at_work, plan, [follower.room.name for follower in following])
        for name in leaving:
            title = f"Put back {name}"
            await at_work.run.undo(name, purge=purge, dry=dry_run, besides=staying[name], title=title)
        for name in leaving:
            if not staying[name]:
                kubeconfig.revoke(at_work, services.get(name), cluster)
        if not dry_run and len(at_work.run.alive) == len(cluster.hosts):
            for name in leaving:
                if not staying[name]:
                    at_work.secrets.forget(name)
            inventory.forget_service(cluster, service)

    return await at_work.do(work)
