"""Packages of the distribution."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, step
from ..system import System
from .apt import brought, leftovers, needed, rescue, status, transaction
from .user import end_sessions


@step
class Package(Step):
    """Packages that are installed, in one transaction of apt.

    When they leave, so do those that came because of them and that nobody else needs; packages that bramble did not
    bring are never removed.

    Parameters
    ----------
    names
        Of packages, without versions.
    start
        Whether daemons among them may start at once, as Debian does it. Without that, they wait for a `Unit` step:
        better where they make no sense before they are configured.
    recommends
        Whether to install what they recommend, too.

    Raises
    ------
    ValueError
        No name is given, or what is given is no name of a package.
    """

    names: "tuple[str, ...]"
    start: bool = True
    recommends: bool = False

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("a Package step needs the name of a package")
        for name in self.names:
            # apt takes a trailing minus for "remove", and other signs for options and patterns.
            if not name or not name[0].isalnum() or not all(char.isalnum() or char in "+-." for char in name):
                raise ValueError(f"{name!r} is not the name of a package")
            if name.endswith("-"):
                raise ValueError(f"{name!r} would remove a package")

    def resources(self) -> "tuple[str, ...]":
        return tuple(f"Package {name}" for name in self.names)

    @property
    def title(self) -> str:
        return f"Package {', '.join(self.names)}"

    def check(self, system: System) -> Answer:
        known = status.states(system)
        before: dict[str, Any] = {}
        for name in self.names:
            state = known.get(name, status.ABSENT[0])
            if state != "installed":
                before[f"Package {name}"] = {"state": state}
        verbs = [f"install {', '.join(name.split(' ', 1)[1] for name in before)}"] if before else []
        companions = self._companions(system)
        if companions:
            verbs.append(f"ask for {', '.join(companions)}")
            before.update({f"Package {name}": {"state": status.ABSENT[0]} for name in companions})
        return Change(", ".join(verbs), before) if before else None

    def _companions(self, system: System) -> "list[str]":
        """Those that are there only because another package that bramble brought needs them.

        They become this step's, too: else they would stay for ever when it leaves as the last.
        """
        ours = set(self.names) & brought.read(system).packages
        known = status.states(system)
        return (
            sorted(name for name in ours & status.automatic(system) if known.get(name) == "installed") if ours else []
        )

    def apply(self, system: System, change: Change) -> None:
        if transaction.repair(system):
            brought.load(system)  # settles what the cut run brought
        missing = [name for name in self.names if status.states(system).get(name) != "installed"]
        companions = self._companions(system)
        if companions:
            transaction.mark_manual(system, companions)
        if not missing:
            return
        brought.expect(system)
        try:
            transaction.install(system, missing, recommends=self.recommends, start=self.start)
        except BaseException:
            # On a full disk it cannot be noted what arrived; the next run makes up for that.
            with contextlib.suppress(OSError):
                brought.load(system)
            raise
        brought.load(system)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        transaction.repair(system)
        known = brought.load(system)
        # What was half there before bramble came is somebody's, and stays.
        named = {
            resource.split(" ", 1)[1]: record.before["state"]
            for resource, record in records.items()
            if record.before["state"] in status.ABSENT
        }
        here = status.installed(system)
        automatic = status.automatic(system)
        companions = {
            name
            for name in (known.packages - set(named)) & set(here)
            # Somebody may have asked for one of them since, by hand or through a service.
            if name in automatic and not system.claims(f"Package {name}")
        }
        going, reasons = self._going(system, here, {name for name in named if name in here}, companions)
        reasons += rescue.set_aside(system, known, going)
        for user in {user for batch in known.batches for user in batch.users}:
            end_sessions(system, user)
        if going:
            with_configuration = [name for name, state in named.items() if state == "config-files"]
            transaction.purge(system, going, keep_configuration=with_configuration)
        rescue.put_back(system, known)
        reasons += leftovers.sweep(system, known)
        return "; ".join(reasons) or None

    @staticmethod
    def _going(
        system: System, here: "Mapping[str, status.Package]", named: "set[str]", companions: "set[str]"
    ) -> "tuple[set[str], list[str]]":
        """What can go of the packages asked for and their companions, and why some of those asked for cannot."""
        ours = named | companions
        going, users = needed.removable(here, ours)
        while going:
            others = transaction.removes(system, going) - going
            if not others:
                break
            # apt looks at versions, too: whatever it would take along keeps what it names.
            for other in others:
                for name in {word for group in here[other].depends for word in group} & going:
                    users.setdefault(name, set()).add(other)
                    going.discard(name)
            going, more = needed.removable(here, going)
            for name, by in more.items():
                users.setdefault(name, set()).update(by)
        staying = sorted(named - going)
        if staying:
            transaction.mark_automatic(system, staying)
        reasons = []
        for name in staying:
            who = ", ".join(needed.users_of(users, name, ours)) or "something"
            reasons.append(f"{name} stays, because {who} needs it")
        return going, reasons
