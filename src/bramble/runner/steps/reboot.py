"""A restart of the host, where something asks for one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, RebootNeeded, Record, Step, step
from ..system import System
from . import firmware_setting, kernel_argument
from .boot_partition import boot_id

#: What a resource that is in force only from the next boot on begins with → whether it waits for that.
_PENDING = {"KernelArgument ": kernel_argument.pending, "FirmwareSetting ": firmware_setting.pending}

#: Seconds until the restart begins: long enough for the news of it to reach the controller.
NOTICE = 1


@step
class Reboot(Step):
    """Restarts the host if something that was changed is in force only from the next boot on, then the plan goes on.

    Parameters
    ----------
    when
        What asks for it: kernel arguments and settings of the firmware, as ``KernelArgument cgroup_enable=memory`` and
        ``FirmwareSetting gpu_mem=16``, and paths below /run that do so as long as they exist, as
        ``/run/reboot-required``.

    Raises
    ------
    ValueError
        Nothing can ask for it, or a path would still be there after the restart.
    """

    when: "tuple[str, ...]"

    def __post_init__(self) -> None:
        if not self.when:
            raise ValueError("a restart without a reason would be repeated at every run")
        for item in self.when:
            if not item.startswith(("/run/", *_PENDING)):
                raise ValueError(f"{item} may outlast a restart, so the host would restart for ever")

    def resources(self) -> "tuple[str, ...]":
        return ()

    @property
    def title(self) -> str:
        return "Reboot"

    def check(self, system: System) -> Answer:
        asking = [item for item in self.when if self._asks(system, item)]
        return Change(f"restart the host, for {', '.join(asking)}") if asking else None

    @staticmethod
    def _asks(system: System, item: str) -> bool:
        if item.startswith("/"):
            return os.path.exists(system.path(item))
        return next(waits for begins, waits in _PENDING.items() if item.startswith(begins))(system, item)

    def apply(self, system: System, change: Change) -> None:
        later = ["systemd-run", "--quiet", "--collect", f"--on-active={NOTICE}s", "--timer-property=AccuracySec=100ms"]
        system.must([*later, "systemctl", "reboot"], "the host could not be told to restart")
        raise RebootNeeded(boot_id(system))

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        return None
