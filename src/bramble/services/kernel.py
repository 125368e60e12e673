"""What services need of the kernel and its firmware hides: the control group of memory."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import PlanError
from ..model import HostSet
from ..runner.facts import Facts
from ..runner.step import Step
from ..runner.steps import KernelArgument, Reboot, Wait

#: The firmware of a Pi tells the kernel not to limit memory; the later word wins.
MEMORY = KernelArgument(argument="cgroup_enable=memory", against=("cgroup_disable=memory",))

#: Where the one line of kernel arguments is; see `bramble.runner.steps.KernelArgument`.
COMMAND_LINES = ("/boot/firmware/current/cmdline.txt", "/boot/firmware/cmdline.txt", "/boot/cmdline.txt")

#: Succeeds where the kernel does, in both hierarchies: with all controllers in one, and with one for each.
LIMITS = "grep -qw memory /sys/fs/cgroup/cgroup.controllers || test -d /sys/fs/cgroup/memory"

#: What to do about a kernel that does not limit memory, for notes and errors of services that can do without.
SWITCH_ON = "bramble prepare --set cgroups=on"


def limits_memory(facts: Facts) -> bool:
    """Whether groups of processes can be held to an amount of memory now."""
    return "memory" in facts.controllers


def has_command_line(facts: Facts) -> bool:
    """Whether kernel arguments can be set; where the service asked for `COMMAND_LINES` among its paths."""
    return bool(set(COMMAND_LINES) & set(facts.paths))


def memory(facts: Facts) -> tuple[Step, ...]:
    """Steps for a host whose kernel must limit memory; it restarts if that is the only way.

    The argument stays wanted where it is in force already: else the next deployment would take it out again.
    """
    if not has_command_line(facts):
        return ()
    if limits_memory(facts):
        return (MEMORY,)
    limits = Wait(command=("sh", "-c", LIMITS), name="the kernel to limit memory", deadline=5)
    return (MEMORY, Reboot(when=MEMORY.resources()), limits)


def can_limit_memory(facts: Facts) -> bool:
    """Whether it is so now, or would be after a restart by `memory`."""
    return limits_memory(facts) or has_command_line(facts)


def require_command_line(facts: Mapping[str, Facts]) -> None:
    """Refuse hosts whose kernel can be told nothing.

    Raises
    ------
    PlanError
        Names them.
    """
    without = HostSet(host for host, found in facts.items() if not has_command_line(found))
    if without:
        raise PlanError(
            f"{without}: there is no cmdline.txt, so kernel arguments cannot be set",
            why=f"looked for {', '.join(COMMAND_LINES)}",
            hint="these are no Raspberry Pis, or their boot partition is not mounted: mount | grep /boot",
        )
