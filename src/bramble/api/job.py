"""One run of a verb: from the cluster it is about to the report that goes into the history."""

from __future__ import annotations

import asyncio
import dataclasses
import getpass
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from .. import inventory
from ..artifact import Artifact
from ..connection import Settings, connect
from ..engine.artifacts import Fetcher
from ..engine.carrying import Mode
from ..engine.history import History
from ..engine.report import Report
from ..engine.run import Run
from ..engine.secrets import SecretStore
from ..engine.session import Session
from ..errors import Interrupted
from ..model import Cluster
from ..plan import Plan
from ..runner import events
from ..runner.events import Event
from ..runner.facts import NO_MORE, Facts, Wanted
from ..runner.secret import Secret
from .kept import kept

#: Takes every event of a run as it happens.
OnEvent = Callable[[Event], None]

#: Takes the names of a run's hosts before the first of them is contacted; what it raises ends the verb there.
OnBegin = Callable[[tuple[str, ...]], None]


class Job:
    """A verb at work on a cluster.

    Parameters
    ----------
    verb, service
        What it does, to what.
    cluster
        With every host it is about.
    settings
        How hosts are reached.
    command
        The command line that does the same, for the history and for going on after a cut.
    sudo, sudo_password
        Whether the runner becomes root, and with which password.
    on_event
        Takes every event.
    on_begin
        Takes the names of all hosts before the run begins, when all that can be refused without them is refused.
    """

    def __init__(
        self,
        verb: str,
        cluster: Cluster,
        *,
        service: str = "",
        settings: Settings,
        command: str = "",
        sudo: bool = True,
        sudo_password: Secret | None = None,
        on_event: OnEvent | None = None,
        on_begin: OnBegin | None = None,
    ) -> None:
        # Sorted by time at a glance, and still told apart when two begin in one second.
        self.id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        self.verb, self.service, self.cluster, self.command = verb, service, cluster, command
        self.history = History(inventory.folders.history())
        self.secrets = SecretStore(inventory.folders.secrets(cluster.name))
        self.artifacts = kept()
        self.verified: bool | None = None
        self.dry = False
        self.data: Mapping[str, Any] = {}
        self._happened: list[Event] = []
        self._notes: list[str] = []
        self._on_event, self._on_begin = on_event, on_begin
        self._elsewhere: dict[str, str] = {}
        self._began = time.monotonic()
        self._started = time.time()

        async def opener(name: str) -> Session:
            host = cluster.host(name)
            connection = await connect(
                dataclasses.replace(host, address=self._elsewhere.get(name, host.address)), settings
            )
            try:
                return await Session.open(connection, sudo=sudo, password=sudo_password)
            except BaseException:
                await connection.close()
                raise

        who = f"{getpass.getuser()}@{socket.gethostname()}"
        hosts = [host.name for host in cluster.hosts]
        self.run = Run(self.id, who, hosts, opener, self.emit, moves=self._moves, settled=self._settled)

    def emit(self, event: Event) -> None:
        """Note an event and pass it on."""
        self._happened.append(event)
        if self._on_event is not None:
            self._on_event(event)

    def _moves(self, host: str, address: str) -> None:
        if address:
            self._elsewhere[host] = address
        else:
            self._elsewhere.pop(host, None)

    def _settled(self, host: str, address: str) -> None:
        """A host is at another address for good: so says the cluster file from now on."""
        inventory.readdress(self.cluster, host, address)
        others = sorted(set(self.cluster.services) - {self.service})
        told = f"; deploy again what knew its old one: {', '.join(others)}" if others else ""
        self.note(f"{host} is at {address} now, and so the cluster file says{told}")

    def note(self, text: str) -> None:
        """Tell the person something."""
        self._notes.append(text)
        self.emit(events.Note(text=text))

    def bring(self, contents: Mapping[str, bytes | None]) -> None:
        """Take over secrets that a person brought, by name; None takes one away. A dry run keeps nothing."""
        for name, content in contents.items():
            if content is not None:
                self.secrets.bring(name, content)
            elif not self.dry:
                self.secrets.drop(name)

    async def facts(self, wanted: Wanted = NO_MORE) -> dict[str, Facts]:
        """Facts of every host of the cluster: asked now, or as last known where a host does not answer.

        A host that is down for a moment must not vanish from the configuration of the others.
        """
        now = await self.run.facts(wanted)
        for host, found in now.items():
            self.emit(events.FactsGathered(host=host, facts=dataclasses.asdict(found)))
        # What passes is no ground to refuse a host that cannot be asked whether it is still so.
        earlier = self.history.facts(self.cluster.name).items()
        known = {host: dataclasses.replace(found, skew=0.0, ports={}) for host, found in earlier} | now
        return {host.name: known[host.name] for host in self.cluster.hosts if host.name in known}

    async def fetch(self, plans: Iterable[Plan]) -> None:
        """Have all artifacts of these plans here, before any host is touched.

        Raises
        ------
        BrambleError
            One cannot be had.
        """
        wanted = [one for plan in plans for one in plan.artifacts]

        async def work() -> None:
            await Fetcher(self.artifacts, self._fetching).fetch(wanted)

        if wanted:
            await self.run.here(work())

    async def carry_out(self, plan: Plan, mode: Mode) -> None:
        """Carry out a plan with its secrets, made where it is applied, and with the artifacts that are here."""
        secret = self.secrets.values(plan, make=mode == "apply")
        found = {one.id: self.artifacts.find(one) for one in plan.artifacts}
        stored = {id: one for id, one in found.items() if one is not None}
        await self.run.carry_out(plan, mode, secret, stored, self.artifacts)

    def _fetching(self, artifact: Artifact, text: str) -> None:
        self.emit(events.ArtifactProgress(artifact=artifact.title, text=text))

    async def do(self, work: Callable[[], Awaitable[None]]) -> Report:
        """Carry out ``work`` between the beginning and the end of the run.

        Raises
        ------
        Interrupted
            After every host has stopped cleanly; the report is in the history and in the last event.
        BrambleError
            What ``work`` raises for all hosts at once, such as a plan that cannot be made.
        """
        hosts = tuple(host.name for host in self.cluster.hosts)
        if self._on_begin is not None:
            self._on_begin(hosts)
        self.history.begin(self.id, self.verb, self.service, self.cluster.name, self.command)
        self.emit(
            events.RunStarted(run=self.id, verb=self.verb, service=self.service, cluster=self.cluster.name, hosts=hosts)
        )
        try:
            await self.run.finish(work())
        except Interrupted as stopped:
            self._end()
            again = f"go on where it stopped: {self.command}" if self.command else "run it again to go on"
            raise Interrupted(stopped.what, hint=stopped.hint or again) from None
        except BaseException as error:
            self._end(exit_code=getattr(error, "exit_code", 1))
            raise
        finally:
            await asyncio.shield(self.run.close())
        return self._end()

    def _end(self, exit_code: int | None = None) -> Report:
        report = Report(
            run=self.id,
            verb=self.verb,
            service=self.service,
            cluster=self.cluster.name,
            dry=self.dry,
            hosts=self.run.results(),
            started=self._started,
            seconds=time.monotonic() - self._began,
            verified=self.verified,
            notes=tuple(self._notes),
            data=self.data,
        )
        self.history.end(report, self._happened, exit_code)
        if exit_code is None:
            self.emit(events.RunFinished(run=self.id, report=report.to_json()))
        return report
