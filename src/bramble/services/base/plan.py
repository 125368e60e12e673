"""What is to be done on each host so that it is as was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...errors import PlanError
from ...model import Cluster
from ...plan import Group, Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import FirmwareSetting, KernelArgument, Reboot
from .. import kernel
from . import addresses, boot, naming, region
from .access import access
from .config import Config
from .software import software
from .swap import RPI_SWAP, ZRAM_GENERATOR, no_swap

#: What the plan wants to know of hosts besides what facts always tell.
PATHS = (*kernel.COMMAND_LINES, *boot.CONFIG, naming.CLOUD, RPI_SWAP, ZRAM_GENERATOR)
PACKAGES = region.CLOCKS

#: Where Debian notes that what was installed is in force only after a restart.
REBOOT_REQUIRED = "/run/reboot-required"

#: Seconds that all packages of a system may take to be upgraded, on a slow card.
UPGRADE = 3600.0


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Hosts have nothing to do with each other, but for restarts that go one by one.

    Raises
    ------
    PlanError
        A host cannot be as was asked; the message names it.
    """
    check(cluster, config, {host: facts[host] for host in cluster.hostset})

    def names(host: str) -> Iterator[Step]:
        return naming.naming(cluster, config, facts, host)

    def swap(host: str) -> Iterator[Step]:
        return no_swap(facts[host])

    def address(host: str) -> Iterator[Step]:
        return addresses.addresses(config, host)

    everyone = cluster.hostset
    parts = [
        # Who can log in is settled before anything that may go wrong.
        group("Access", everyone, *access(config)),
        group("Names", everyone, names),
        group("Software", everyone, *software(config), timeout=UPGRADE),
        group("Region", everyone, *region.region(config)),
        group("Swap", everyone if config.swap else (), swap),
        group("Boot", everyone, *boot.boot(config)),
        group("Address", everyone, address),
    ]
    restarts = tuple(_restarts(cluster, config, parts))
    notes = ("hosts restart one after the other, those that have to",) if len(restarts) > 1 else ()
    return Plan(service="base", groups=(*(part for part in parts if any(part.steps.values())), *restarts), notes=notes)


def _restarts(cluster: Cluster, config: Config, parts: list[Group]) -> Iterator[Group]:
    """The manager restarts last: what others do meanwhile is often known there alone."""
    if config.reboot == "never":
        return
    steps = [step for part in parts for host in part.steps.values() for step in host]
    asking = [step.resources()[0] for step in steps if isinstance(step, FirmwareSetting | KernelArgument)]
    if config.upgrade or config.packages or config.unattended_upgrades:
        asking.append(REBOOT_REQUIRED)
    if not asking:
        return
    restart = Reboot(when=tuple(dict.fromkeys(asking)))
    if config.reboot == "all at once":
        yield group("Restart", cluster.hostset, restart)
        return
    before: str | None = None
    for host in (*cluster.workers, *(cluster.hostset & {cluster.manager})):
        # One that does not come back stops the others from going the same way.
        waits, needs = ([f"Restart {before}"], [before]) if before else ([], [])
        yield group(f"Restart {host}", [host], restart, after=waits, requires=needs)
        before = host


def check(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> None:
    """Refuse what cannot be, before anything is changed.

    Raises
    ------
    PlanError
        Names the host.
    """
    for host, found in facts.items():
        if not found.systemd:
            raise PlanError("it does not run systemd", host=host, hint="burn Raspberry Pi OS or Ubuntu on its card")
    naming.check(cluster, config)
    region.check(config, facts)
    boot.check(config, facts)
    addresses.check(cluster, config, facts)
