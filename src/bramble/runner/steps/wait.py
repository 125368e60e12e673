"""Waits until something is there, with a deadline."""

from __future__ import annotations

import os
import shlex
import socket
import time
from collections.abc import Mapping
from typing import Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System
from . import systemd

#: Seconds that one look may take, and between looks: soon at first, then less often.
PATIENCE = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


@step
class Wait(Step):
    """Waits for one thing: a port that takes connections, an address that answers, a command that succeeds, a path.

    With ``unit`` alone it waits for that unit to run. With ``unit`` beside another, the unit is what that comes from:
    if it fails, the wait ends at once, and the error holds the unit's log.

    Parameters
    ----------
    port
        A TCP port of ``host``.
    http
        A URL that answers a GET with a status below 400. Proxies of the environment are not used.
    command
        A command that ends with status 0; it must not change anything.
    path
        A path that exists.
    unit
        A systemd unit.
    host
        Whose port; this host's own loopback otherwise.
    user
        Who runs ``command``; root otherwise.
    name
        What is waited for, for people; the thing itself unless given.
    deadline
        Seconds until it is an error; the group's remaining time where that is less.

    Raises
    ------
    ValueError
        Nothing or more than one thing is waited for.
    """

    port: Optional[int] = None
    http: Optional[str] = None
    command: "Optional[tuple[str, ...]]" = None
    path: Optional[str] = None
    unit: Optional[str] = None
    host: str = "127.0.0.1"
    user: Optional[str] = None
    name: str = ""
    deadline: float = 60.0

    def __post_init__(self) -> None:
        things = [thing for thing in (self.port, self.http, self.command, self.path) if thing is not None]
        if len(things) > 1 or (not things and self.unit is None):
            raise ValueError("a wait is for one of port, http, command and path, or for a unit alone")

    def resources(self) -> "tuple[str, ...]":
        return ()

    @property
    def title(self) -> str:
        return f"Wait for {self._thing}"

    @property
    def _thing(self) -> str:
        if self.name:
            return self.name
        if self.port is not None:
            return f"port {self.port}" + ("" if self.host == "127.0.0.1" else f" of {self.host}")
        if self.command is not None:
            return f"`{shlex.join(self.command)}`"
        return str(self.http or self.path or self.unit)

    def check(self, system: System) -> Answer:
        seen = self._look(system)
        return Change(f"wait for {self._thing}: {seen}") if seen else None

    def apply(self, system: System, change: Change) -> None:
        given = system.time_left(self.deadline)
        ends = time.monotonic() + given
        pause = FIRST_PAUSE
        while True:
            seen = self._look(system)
            if not seen:
                return
            if self.unit is not None:
                state = systemd.show(system, self.unit)
                if state.active == "failed":
                    raise systemd.failure(system, self.unit, state)
            if time.monotonic() >= ends:
                raise StepError(
                    f"{self._thing} was not there within {given:.0f} s",
                    why=seen,
                    hint=f"systemctl status {self.unit}" if self.unit else "",
                    log=systemd.log(system, self.unit) if self.unit else (),
                )
            system.progress(f"waits for {self._thing}: {seen}")
            system.sleep(min(pause, max(0.0, ends - time.monotonic())))
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        return None

    def _look(self, system: System) -> str:
        """What is seen instead of the thing; empty when it is there."""
        if self.port is not None:
            return _connect(self.host, self.port)
        if self.http is not None:
            return _get(self.http)
        if self.command is not None:
            output = system.run(self.command, user=self.user, timeout=max(PATIENCE, self.deadline))
            said = output.tail[-1] if output.tail else "it said nothing"
            return "" if output.status == 0 else f"status {output.status}, {said}"
        if self.path is not None:
            return "" if os.path.lexists(system.path(self.path)) else "it does not exist"
        state = systemd.show(system, self.unit or "")
        return "" if state.active == "active" else (state.why if state.exists else "there is no such unit")


def _connect(host: str, port: int) -> str:
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except socket.timeout:  # an OSError without words; TimeoutError itself only from Python 3.10 on
        return f"no answer within {PATIENCE:.0f} s"
    except socket.gaierror as error:
        return f"the name {host} cannot be resolved: {error.strerror}"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _get(url: str) -> str:
    # Only waits for HTTP pay for loading this.
    import http.client
    import urllib.error
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=PATIENCE).close()
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return str(getattr(error.reason, "strerror", None) or error.reason)
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__
    return ""
