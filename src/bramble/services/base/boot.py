"""What the firmware and the kernel are started with: radios, control groups, memory for graphics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...errors import PlanError
from ...model import HostSet
from ...runner.facts import Facts
from ...runner.step import Step
from ...runner.steps import FirmwareSetting, RadioSilence
from .. import kernel
from .config import Config

#: Where config.txt is; see `bramble.runner.steps.FirmwareSetting`.
CONFIG = ("/boot/firmware/config.txt", "/boot/config.txt")

RADIOS = ("dtoverlay=disable-wifi", "dtoverlay=disable-bt")


def boot(config: Config) -> Iterator[Step]:
    """In force from the next boot on; radios are silent at once."""
    if config.radios == "off":
        for setting in RADIOS:
            yield FirmwareSetting(setting=setting)
        yield RadioSilence()
    if config.gpu_memory is not None:
        yield FirmwareSetting(setting=f"gpu_mem={config.gpu_memory}")
    if config.cgroups:
        yield kernel.MEMORY


def check(config: Config, facts: Mapping[str, Facts]) -> None:
    """Refuse hosts without the files, and radios off where the radio is the way to the host.

    Raises
    ------
    PlanError
    """
    wanted = [name for name, value in (("radios", config.radios), ("gpu_memory", config.gpu_memory)) if value]
    without = HostSet(host for host, found in facts.items() if not set(CONFIG) & set(found.paths))
    if wanted and without:
        raise PlanError(
            f"{without}: there is no config.txt, so {' and '.join(wanted)} cannot be set",
            why=f"looked for {' and '.join(CONFIG)}",
            hint="these are no Raspberry Pis, or their boot partition is not mounted: mount | grep /boot",
        )
    if config.cgroups:
        kernel.require_command_line(facts)
    for host, found in facts.items():
        if config.radios == "off" and found.interface.startswith("wl"):
            raise PlanError(
                f"it is reached over Wi-Fi ({found.interface}), and with radios off it never would be again",
                host=host,
                hint="plug in a cable first, or leave this host out",
            )
