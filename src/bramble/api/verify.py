"""Verification: whether a service does its work, on every host that it should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from .. import inventory, services
from ..engine.report import Report
from ..errors import UsageError
from ..model import Cluster
from ..runner.facts import Facts, Wanted
from ..services import Service
from .job import Job
from .needs import require_deployed
from .reach import Reach, job, resolve


async def verify(service: str, *, deep: bool = False, **reach: Unpack[Reach]) -> Report:
    """Prove by real work that a service works on each of its hosts.

    Parameters
    ----------
    deep
        Prove also what takes longer and stops something for a while, such as the loss of a host.

    Returns
    -------
    Report
        ``verified`` is False when any probe failed or any host could not be asked; the failures name host and cause.

    Raises
    ------
    UsageError
        No hosts were named, and the service is not deployed on the cluster; or it has nothing to prove in depth.
    """
    room = services.get(service)
    if deep and room.deep is None:
        raise UsageError(f"{service} has no further proof", hint=f"bramble verify {service}")
    cluster = inventory.of_service(resolve(reach), service, given=bool(reach.get("hosts")))
    if not reach.get("hosts"):
        require_deployed(service, cluster)
    config = services.configure(room, inventory.options_of(cluster, service))
    at_work = job("verify", cluster, reach, service, ("verify", service, *(("--deep",) if deep else ())))

    async def work() -> None:
        await at_work.run.connect(lock=False)
        facts = await at_work.facts(Wanted(packages=room.packages, paths=room.paths))
        missing = len(at_work.run.alive) < len(cluster.hosts)
        await prove(at_work, room, cluster, config, facts, deep=deep)
        if missing:
            at_work.verified = False

    return await at_work.do(work)


async def prove(
    at_work: Job, room: Service, cluster: Cluster, config: Any, facts: Mapping[str, Facts], *, deep: bool = False
) -> None:
    """Run a service's probes on the hosts that are still in, and note in the job whether they passed.

    Without the manager nothing is tried, so nothing is said of the service: the hosts' own failures tell it all.
    """
    if at_work.run.cancelled:
        return
    alive = at_work.run.alive
    if cluster.manager not in alive:
        at_work.note(f"not verified: the manager {cluster.manager} is out")
        return
    there = cluster.without([host.name for host in cluster.hosts if host.name not in alive])
    before = len(alive)
    await at_work.run.carry_out(room.verify(there, config, facts), "verify")
    if deep and room.deep is not None and len(at_work.run.alive) == before:
        # What does not work anyway is not put to the test.
        plan = room.deep(there, config, facts)
        for text in plan.notes:
            at_work.note(text)
        await at_work.run.carry_out(plan, "verify")
    at_work.verified = len(at_work.run.alive) == before
