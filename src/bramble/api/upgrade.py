"""The verb that brings a service to a later version."""

from __future__ import annotations

from typing import Unpack

from .. import inventory, services
from ..engine.report import Report
from ..errors import PlanError, UsageError
from ..model import Cluster
from ..services import Service
from . import change, kubeconfig
from .needs import require_deployed, wanted_by, with_needs
from .reach import Reach, job, resolve
from .verify import prove


async def upgrade(
    service: str, *, to: str = "", dry_run: bool = False, verify: bool = True, **reach: Unpack[Reach]
) -> Report:
    """Bring a service to a later version: one host after the other where it can, and back again where that fails.

    Parameters
    ----------
    to
        The version; the latest that there is unless given.
    dry_run, verify
        As in `deploy`.

    Raises
    ------
    UsageError
        The service is not deployed, has no versions of its own, or not this one; or it would be an earlier one.
    PlanError
        There is no way from the one to the other, or a host cannot be reached and would stay behind.
    """
    room = services.get(service)
    cluster = inventory.of_service(resolve(reach), service, given=False)
    before = _version(room, cluster)
    after = _target(room, cluster, before, to)
    chosen = {**inventory.options_of(cluster, service), "version": after}
    config = services.configure(room, chosen)
    at_work = job("upgrade", cluster, reach, service, ("upgrade", service, *(("--to", to) if to else ())))
    at_work.dry = dry_run

    async def work() -> None:
        await at_work.run.connect(lock=not dry_run)
        facts = await at_work.facts(wanted_by(with_needs(service)))
        missing = [host.name for host in cluster.hosts if host.name not in at_work.run.alive]
        if missing:
            raise PlanError(
                f"{', '.join(missing)} cannot be reached, and would stay behind; nothing was changed",
                hint=f"switch it on; or first: bramble scale {service} --drop {','.join(missing)}",
            )
        if after != before:
            assert room.upgrade is not None
            plan = room.upgrade(cluster, config, facts, before)
            for text in (f"from {before} to {after}", *plan.notes):
                at_work.note(text)
            if not dry_run:
                await at_work.fetch([plan])
                inventory.begin_upgrade(cluster, service, after)
            await at_work.carry_out(plan, "check" if dry_run else "apply")
            if dry_run or len(at_work.run.alive) < len(cluster.hosts) or at_work.run.cancelled:
                return
            inventory.end_upgrade(cluster, service, after)
        else:
            at_work.note(f"{service} is at {after}, which is the {'one asked for' if to else 'latest'}")
        # What was there for the earlier version alone goes now.
        await change.bring_about(at_work, room, cluster, config, facts)
        await kubeconfig.grant(at_work, room, cluster, config, facts)
        if verify and not dry_run:
            await prove(at_work, room, cluster, config, facts)

    return await at_work.do(work)


def _version(room: Service, cluster: Cluster) -> str:
    if room.upgrade is None:
        raise UsageError(
            f"{room.name} has the version of the hosts' distribution, so there is nothing to upgrade here",
            hint="newer packages come by the distribution's own means: sudo apt full-upgrade",
        )
    require_deployed(room.name, cluster)
    return str(inventory.options_of(cluster, room.name).get("version") or room.versions[-1])


def _target(room: Service, cluster: Cluster, before: str, to: str) -> str:
    begun = cluster.services[room.name].upgrading
    after = to or begun or room.versions[-1]
    if after not in room.versions:
        raise UsageError(f"there is no {room.name} {after} here", hint=f"there are: {', '.join(room.versions)}")
    if begun and after != begun:
        raise UsageError(
            f"an upgrade to {begun} was begun and not finished",
            hint=f"go on with it first: bramble upgrade {room.name} --to {begun}",
        )
    if before in room.versions and room.versions.index(after) < room.versions.index(before):
        raise UsageError(
            f"{room.name} is at {before}, and {after} is earlier",
            hint="there is no way back: what the later one wrote, the earlier one may not be able to read",
        )
    return after
