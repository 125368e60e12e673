"""A fixed address, and a way back from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Optional

from .. import network, trial
from ..step import AddressMoves, Answer, Change, Record, Step, StepError, step
from ..system import System
from .addressing import Wanted, Way, read_file, way


@step
class Address(Step):
    """The fixed IPv4 address of the Ethernet interface by which the host is reached.

    NetworkManager, netplan or dhcpcd is told, whichever manages that interface. The connection breaks meanwhile: the
    host tries the address, and takes it back by itself unless the controller comes by the new one before a deadline.

    Parameters
    ----------
    address
        With the length of its network: ``10.1.1.1/24``.
    gateway
        Of the default route; empty for none.
    dns
        Addresses of name servers; none for those that the host has from elsewhere.
    deadline
        Seconds that the controller has.
    """

    address: str
    gateway: str = ""
    dns: "tuple[str, ...]" = ()
    deadline: float = 60.0

    def resources(self) -> "tuple[str, ...]":
        # One, whichever it is: what was there first comes back.
        return ("Address",)

    @property
    def title(self) -> str:
        return f"Address {self.address}"

    @property
    def _plain(self) -> str:
        return self.address.partition("/")[0]

    def check(self, system: System) -> Answer:
        tried = _tried(system)
        if tried is not None:
            return Change("stays", {"Address": _settled(system, tried, self._plain).record})
        interface = _interface(system)
        wanted = self._way(system, interface)
        has = _addresses(system, interface)
        if all(read_file(system, path) == text for path, text in wanted.files.items()) and has == [self.address]:
            return None
        before = {
            "address": (has[0] if has else "").partition("/")[0],
            "files": {path: _described(read_file(system, path)) for path in wanted.files},
            "forth": [list(argv) for argv in wanted.back],
            "back": [list(argv) for argv in wanted.forth],
        }
        summary = f"{', '.join(has) or 'none'} → {self.address} on {interface}, by {_manager(system, interface)}"
        return Change(summary, {"Address": before})

    def _way(self, system: System, interface: str) -> Way:
        if interface.startswith("wl"):
            raise StepError(
                f"its way to others is Wi-Fi ({interface}), and only Ethernet is given a fixed address",
                hint="plug in a cable, or leave the host out of address",
            )
        wanted = Wanted(interface=interface, address=self.address, gateway=self.gateway, dns=self.dns)
        return way(system, _manager(system, interface), wanted)

    def apply(self, system: System, change: Change) -> None:
        if _tried(system) is not None:
            trial.keep(system)
            return
        interface = _interface(system)
        wanted = self._way(system, interface)
        before = {path: read_file(system, path) for path in wanted.files}
        for found in before.values():
            if found is not None:
                system.keep(found[0].encode("utf-8", "surrogateescape"))
        trial.begin(
            system,
            trial.Trial(
                address=self._plain,
                deadline=self.deadline,
                files=wanted.files,
                before=before,
                forth=wanted.forth,
                back=wanted.back,
                record=change.before["Address"],
                **_by_hand(system, interface),
            ),
        )
        raise AddressMoves(self._plain, self.deadline)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        before: dict[str, Any] = records["Address"].before
        tried = _tried(system)
        if tried is not None:
            _settled(system, tried, before["address"])
            trial.keep(system)
            return None
        files = {path: _as_before(system, found) for path, found in before["files"].items()}
        now = {path: read_file(system, path) for path in files}
        if now == files:
            return None
        trial.begin(
            system,
            trial.Trial(
                address=before["address"],
                deadline=self.deadline,
                files=files,
                before=now,
                forth=tuple(map(tuple, before["forth"])),
                back=tuple(map(tuple, before["back"])),
                record={},
                **_by_hand(system, _interface(system)),
            ),
        )
        raise AddressMoves(before["address"], self.deadline)


def _tried(system: System) -> "Optional[tuple[trial.Trial, str, str]]":
    """A trial that is under way, or that the controller asks about; one that ended while it was away is forgotten."""
    found = trial.found(system)
    ended = found is not None and found[1] in (trial.BACK, trial.FAILED, trial.KEPT)
    return None if ended and not system.reached else found


def _settled(system: System, tried: "tuple[trial.Trial, str, str]", address: str) -> trial.Trial:
    """The trial, if the controller came by the address that is tried.

    Raises
    ------
    StepError
        It did not, or the host has taken the address back.
    """
    found, state, why = tried
    if state in (trial.BACK, trial.FAILED):
        trial.forget(system)
        if state == trial.FAILED:
            raise StepError(f"its address could not be changed to {found.address}, and is as before", why=why)
        raise StepError(
            f"nobody reached it at {found.address} within {found.deadline:.0f} s, so it took its old address back",
            why=why,
            hint="is that address in the network of this machine, and free? Is the gateway right?",
        )
    if state != trial.TRIED or system.reached != address or found.address != address:
        raise StepError(
            f"it is trying the address {found.address} just now",
            hint=f"wait until it took it back by itself, {found.deadline:.0f} s at most; then run this again",
        )
    return found


def _interface(system: System) -> str:
    return network.outward(lambda path: _text(system, path))


def _manager(system: System, interface: str) -> str:
    return network.manager(interface, lambda path: _text(system, path))


def _text(system: System, path: str) -> str:
    try:
        with open(system.path(path), errors="replace") as file:
            return file.read()
    except OSError:
        return ""  # as for facts: a file that a system does not have


def _by_hand(system: System, interface: str) -> "dict[str, Any]":
    """How the interface gets what it has now without anybody's help."""
    commands: list[tuple[str, ...]] = [
        ("ip", "address", "replace", one, "dev", interface) for one in _addresses(system, interface)
    ]
    route = system.must(["ip", "-4", "route", "show", "default", "dev", interface]).stdout.split()
    if route[:2] == ["default", "via"]:
        commands.append(("ip", "route", "replace", "default", "via", route[2], "dev", interface))
    return {"rescue": tuple(commands), "has": _asked(interface)}


def _asked(interface: str) -> "tuple[str, ...]":
    return ("ip", "-4", "-oneline", "address", "show", "dev", interface, "scope", "global")


def _addresses(system: System, interface: str) -> "list[str]":
    output = system.must(_asked(interface))
    return re.findall(r"\sinet (\S+)", output.stdout)


def _described(found: "Optional[tuple[str, int]]") -> "Optional[dict[str, Any]]":
    if found is None:
        return None
    return {"sha256": hashlib.sha256(found[0].encode("utf-8", "surrogateescape")).hexdigest(), "mode": found[1]}


def _as_before(system: System, found: "Optional[dict[str, Any]]") -> "Optional[tuple[str, int]]":
    if found is None:
        return None
    return system.kept_bytes(found["sha256"]).decode("utf-8", "surrogateescape"), found["mode"]
