"""Packages, their upgrades, and kernel modules."""

from __future__ import annotations

from collections.abc import Iterator

from ...runner.step import Step
from ...runner.steps import Command, File, Package, Unit, Upgrade
from . import region
from .config import Config

UNATTENDED = "/etc/apt/apt.conf.d/60bramble-unattended-upgrades"
MODULES = "/etc/modules-load.d/60-bramble.conf"

_PERIODIC = 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'

#: A module that is part of the kernel is in /sys/module without being loaded.
_LOADED = 'for name; do test -d "/sys/module/$name" || exit 1; done'


def software(config: Config) -> Iterator[Step]:
    """Upgrades come first: what is installed then is new. Each call of apt takes seconds, so there are few."""
    if config.upgrade:
        yield Upgrade()
    wanted = tuple(dict.fromkeys((*region.packages(config), *config.packages)))
    if wanted:
        yield Package(names=wanted)
    # Daemons that are started by a step of their own, so that they end before their package goes.
    daemons = [*(["systemd-timesyncd"] if config.ntp else []), *(["unattended-upgrades"] * config.unattended_upgrades)]
    if daemons:
        yield Package(names=tuple(daemons), start=False)
    if config.unattended_upgrades:
        yield File(path=UNATTENDED, content=_PERIODIC)
        for name in ("unattended-upgrades", "apt-daily.timer", "apt-daily-upgrade.timer"):
            yield Unit(name=name)
    if config.modules:
        yield File(path=MODULES, content="".join(f"{name}\n" for name in config.modules))
        yield Command(
            name=f"load {', '.join(config.modules)}",
            argv=("modprobe", "--all", *config.modules),
            unless=loaded(config),
        )


def loaded(config: Config) -> tuple[str, ...]:
    """A command that succeeds where the kernel has all modules."""
    return ("sh", "-c", _LOADED, "sh", *(name.replace("-", "_") for name in config.modules))
