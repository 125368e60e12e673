"""Whether hosts are as was asked: what is written there, and what is in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import (
    File,
    FirmwareSetting,
    Hostname,
    KernelArgument,
    Line,
    Package,
    Probe,
    RadioSilence,
    Timezone,
)
from .. import kernel
from . import naming
from .config import Config
from .plan import plan
from .software import UNATTENDED, loaded
from .swap import NONE_LEFT

#: Steps that can be looked at without knowing what bramble did before, and without secrets.
_LOOKED_AT = (File, FirmwareSetting, Hostname, KernelArgument, Line, Package, RadioSilence, Timezone)

_AGAIN = "bramble prepare"


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Each step of the plan is looked at again, then what they are for is tried."""
    planned = plan(cluster, config, facts)

    def written(host: str) -> Iterator[Step]:
        return (step for part in planned.of(host) for step in part.steps[host] if isinstance(step, _LOOKED_AT))

    def in_force(host: str) -> Iterator[Step]:
        return _probes(cluster, config, host)

    parts = (group("As written", cluster.hostset, written), group("In force", cluster.hostset, in_force))
    return Plan(service="base", groups=tuple(part for part in parts if any(part.steps.values())))


def _probes(cluster: Cluster, config: Config, host: str) -> Iterator[Step]:
    if config.hostname:
        own = naming.own_name(host)
        yield Probe(name="it calls itself by its name", argv=("hostname",), expect_lines=(own,), hint=_AGAIN)
    if config.names:
        everyone = tuple(naming.own_name(other) for other in cluster.hostset)
        yield Probe(name="it knows all by name", argv=("getent", "hosts", *everyone), hint=_AGAIN)
    if config.timezone:
        yield _clock(config.timezone)
    if config.locale:
        yield Probe(
            name=f"programs speak {config.locale}",
            argv=("env", f"LC_ALL={config.locale}", "locale", "charmap"),
            expect_lines=("UTF-8",),
            hint=_AGAIN,
        )
    if config.ntp:
        yield Probe(
            name="it asks the time servers",
            argv=("timedatectl", "show-timesync", "--value", "--property=SystemNTPServers"),
            expect_lines=(" ".join(config.ntp),),
            hint=_AGAIN,
        )
    if config.unattended_upgrades:
        yield Probe(
            name="upgrades are due every day",
            argv=("systemctl", "is-active", "apt-daily.timer", "apt-daily-upgrade.timer"),
            expect_lines=("active", "active"),
            hint=_AGAIN,
        )
        yield Probe(
            name="upgrades install by themselves",
            argv=("apt-config", "dump", "APT::Periodic::Unattended-Upgrade"),
            expect_match='"1"',
            hint=f"look at {UNATTENDED}",
        )
    if config.modules:
        yield Probe(name="the kernel has the modules", argv=loaded(config), hint="modprobe NAME; dmesg | tail")
    if config.swap:
        yield Probe(name="there is no swap", argv=("sh", "-c", NONE_LEFT), hint="swapon --show")
    if config.cgroups and config.reboot != "never":
        hint = "cat /proc/cmdline; this kernel may have been built without it"
        yield Probe(name="the kernel limits memory", argv=("sh", "-c", kernel.LIMITS), hint=hint)


def _clock(zone: str) -> Probe:
    """What the zone makes of a day in summer, where half of the world has another time than in winter."""
    then = datetime(2025, 7, 1, 12, tzinfo=UTC)
    argv = ("date", f"--date=@{then.timestamp():.0f}", "+%Y-%m-%d %H:%M:%S")
    told = then.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
    return Probe(name=f"clocks show the time of {zone}", argv=argv, expect_lines=(told,), hint=_AGAIN)
