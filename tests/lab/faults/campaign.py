"""Carries a schedule out: each run goes wrong, is healed and run again; what may never be lost is looked at then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from bramble import lab as labs
from bramble.lab.testing import Lab

from ..controller import Controller, Done, Running
from .nemesis import Nemesis
from .schedule import OF_CONTROLLER, Fault, Round, Schedule

#: Seconds a run may take with faults: noticing that a host is gone, a full group timeout never.
PATIENCE = 240.0

#: Seconds that hosts may be held by a run whose controller is gone: it finishes its step, dpkg's at the most.
HELD = 120.0

#: Bytes of a disk that is filled up: enough for all that the service and its package write.
DISK = 512 << 20

#: How a run with faults may end: done, some host failed, no plan without the manager, verification failed; killed.
_ENDS = (0, 1, 2, 3, -9)


class Violation(AssertionError):
    """Something was lost, or a run did not end as it must; says in which round, and the schedule that leads there."""


def carry_out(plan: Schedule, lab: Lab, folder: Path, say: Callable[[str], None] = print) -> None:
    """Carry out a schedule on freshly written cards.

    Parameters
    ----------
    folder
        For the controller; does not exist yet.
    say
        Told what happens.

    Raises
    ------
    Violation
    """
    lab.reset()
    for host in plan.small_disks:
        lab.small_disk(host, "/", DISK)
    campaign = _Campaign(plan, lab, Controller.of(lab, folder), say)
    try:
        campaign.run()
    finally:
        campaign.nemesis.heal()


class _Campaign:
    def __init__(self, plan: Schedule, lab: Lab, controller: Controller, say: Callable[[str], None]) -> None:
        self.plan, self.lab, self.controller, self.say = plan, lab, controller, say
        self.nemesis = Nemesis(lab)
        self.log: list[str] = []

    def run(self) -> None:
        before = {host: self.lab.snapshot(host) for host in self.lab.hosts}
        for number, round_ in enumerate(self.plan.rounds, 1):
            self._tell(f"round {number}: {round_}")
            self._faulty(round_)
            self._converge(round_)
            if round_.words[0] != "remove":
                self._changes_nothing()
        for host, found in before.items():
            left = labs.diff_snapshots(found, self.lab.snapshot(host))
            self._demand(not left, f"{host} is not as it was found:\n" + "\n".join(left[:40]))

    def _faulty(self, round_: Round) -> None:
        """One run, with faults; when it is over, so are they."""
        runs = [self.controller.start(*round_.words)]
        waiting = list(round_.faults)
        seen = 0
        # So that a host cut off for good, or a bug, cannot hold the campaign for ever.
        watch = threading.Timer(PATIENCE, runs[0].kill)
        watch.start()
        for _ in runs[0].events():
            seen += 1
            while waiting and waiting[0].at < seen:
                self._fall(waiting.pop(0), runs, round_)
        timely = watch.is_alive()
        watch.cancel()
        ended = [run.finish(PATIENCE) for run in runs]
        for done in ended:
            self._tell(f"  it ended with {done.status} after {seen} events{_why(done)}")
        self._demand(timely, f"the run did not end within {PATIENCE:.0f} s", ended)
        self._demand(all(done.status in _ENDS for done in ended), "the run ended with an exit code of its own", ended)
        self.nemesis.heal()
        held = self.nemesis.wait_until_quiet(HELD)
        self._demand(not held, f"{held} is held by a dead run, {HELD:.0f} s after all was healed", ended)

    def _fall(self, fault: Fault, runs: list[Running], round_: Round) -> None:
        if fault.kind == "controller killed":
            runs[0].kill()
            fell = True
        elif fault.kind == "two at once":
            runs.append(self.controller.start(*round_.words))
            fell = True
        else:
            fell = self.nemesis.inflict(fault)
        assert fault.host or fault.kind in OF_CONTROLLER
        self._tell(f"  {fault}{'' if fell else ': that host has another one'}")

    def _converge(self, round_: Round) -> None:
        again = self.controller.json(*round_.words)
        self._demand(again.status == 0, f"one more run ended with {again.status}{_why(again)}", [again])

    def _changes_nothing(self) -> None:
        again = self.controller.json("deploy", "beacon")
        self._demand(again.status == 0 and again.report["verified"] is True, "it does not do its work", [again])
        changes = [event for event in again.events if event.get("outcome") in ("changed", "undone", "kept")]
        self._demand(not changes, f"a further run changed {changes}", [again])

    def _tell(self, text: str) -> None:
        self.log.append(text)
        self.say(text)

    def _demand(self, fulfilled: bool, what: str, ended: list[Done] | None = None) -> None:
        if not fulfilled:
            ends = "\n".join(done.said[-3000:] for done in ended or ())
            story = "\n".join(self.log)
            raise Violation(f"{what}\n{self.plan}\nwhat happened:\n{story}\n{ends}")


def _why(done: Done) -> str:
    """The failures a run told of, in short."""
    told = [
        f"{e.get('host', '')}: {e.get('what', '')}" for e in done.events if e["kind"] in ("host-failed", "step-failed")
    ]
    return f" ({'; '.join(told)})" if told else ""
