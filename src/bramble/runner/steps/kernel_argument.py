"""An argument of the kernel's command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System
from . import boot_partition
from .boot_partition import boot_id, read, rewrite
from .filesystem import look

#: Where the firmware reads it, the first that exists: Ubuntu 25.04 and later, Raspberry Pi OS from bookworm and Ubuntu,
#: Raspberry Pi OS bullseye. Bookworm leaves a decoy at the last of these places, which says so in its text.
PLACES = ("/boot/firmware/current/cmdline.txt", "/boot/firmware/cmdline.txt", "/boot/cmdline.txt")


@step
class KernelArgument(Step):
    """A word on the one line of cmdline.txt, in force from the next boot on (a `Reboot` step waits for that).

    Of two words that contradict each other the later one wins, so it is added at the end.

    Parameters
    ----------
    argument
        Such as ``cgroup_enable=memory``.
    against
        Words that would undo it if they stood behind it, such as ``cgroup_disable=memory``.

    Raises
    ------
    ValueError
        ``argument`` is not one word.
    """

    argument: str
    against: "tuple[str, ...]" = ()

    def __post_init__(self) -> None:
        if self.argument.split() != [self.argument]:
            raise ValueError(f"{self.argument!r} is not one word")

    @property
    def _resource(self) -> str:
        return f"KernelArgument {self.argument}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def _holds(self, words: "list[str]") -> bool:
        """Whether the last word that decides it is the one that is wanted."""
        deciding = [word for word in words if word in (self.argument, *self.against)]
        return deciding[-1:] == [self.argument]

    def check(self, system: System) -> Answer:
        path = find(system)
        words = read(system.path(path)).split()
        if self._holds(words):
            return None
        summary = f"add to {path}"
        if self._holds(running(system)):
            summary += " (this kernel was started with it)"
        else:
            summary += ", in force from the next boot on"
        return Change(summary, {self._resource: {"file": path, "count": words.count(self.argument)}})

    def apply(self, system: System, change: Change) -> None:
        path = system.path(change.before[self._resource]["file"])
        text = read(path)
        words = text.rstrip()
        rewrite(path, words + (" " if words else "") + self.argument + text[len(words) :])

    def fingerprint(self, system: System) -> Optional[str]:
        """The boot in which it was written: `Reboot` tells from it whether there was another one since."""
        return boot_id(system)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before = records[self._resource].before
        path = system.path(before["file"])
        if look(path) is None:
            return f"{before['file']} is gone"
        text = read(path)
        if text.split().count(self.argument) > before["count"]:
            rewrite(path, _without_last(text, self.argument))
        return None


def pending(system: System, resource: str) -> bool:
    """Whether an argument, named by its resource, waits for the next boot."""
    recorded = system.recorded.get(resource)
    if recorded is not None:
        return recorded == boot_id(system)
    # Written by hand, or by a run that was cut before it could note the boot.
    argument = resource.split(" ", 1)[1]
    path = system.path(find(system))
    unseen = argument in read(path).split() and argument not in running(system)
    return unseen and boot_partition.changed_since_boot(system, path)


def find(system: System) -> str:
    """The command line that the firmware of this host reads.

    Raises
    ------
    StepError
        There is none, or not one of a single line.
    """
    place = boot_partition.find(system, PLACES, "kernel arguments cannot be set")
    lines = read(system.path(place)).strip().splitlines()
    if len(lines) > 1:
        raise StepError(
            f"{place} has {len(lines)} lines, but the firmware reads only the first",
            hint=f"put everything on one line: sudo nano {place}",
        )
    return place


def running(system: System) -> "list[str]":
    """The words that the kernel was started with."""
    return read(system.path("/proc/cmdline")).split()


def _without_last(text: str, word: str) -> str:
    """The text less the last occurrence of a word and the space before it."""
    position = -1
    start = 0
    for found in text.split():
        start = text.index(found, start)
        if found == word:
            position = start
        start += len(found)
    head, tail = text[:position], text[position + len(word) :]
    return (head[:-1] if head.endswith(" ") else head) + tail
