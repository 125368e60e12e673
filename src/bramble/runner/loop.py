"""The loop: requests come in as JSON lines, steps are looked at, carried out and put back, events go out.

Requests (one JSON object a line, ``do`` says which):

``facts``   the fields of `facts.Wanted`: answers with ``facts-gathered``
``lock``    ``run``, ``who``: takes the host's lock; answers ``locked`` or a ``host-failed``
``group``   ``group`` (title), ``mode`` (``check``, ``apply`` or ``verify``), ``service``, ``run``, ``timeout``,
            ``steps``, perhaps ``reached`` (where the host was found after it moved): answers with events, the
            last one ``group-done``, ``step-failed`` or ``step-cancelled``, or else ``reboot`` or ``moves``
``undo``    ``service``, ``purge``, ``wanted`` (resources still in the plan, which stay), ``mode``: as ``group``
``lacking`` ``service``, ``steps``: answers with the numbers of those of them that have something to do
``journal`` answers with what bramble did to this host
``cancel``  ends the group under way, cleanly
``alive``   nothing, but that the controller is still there
End of input ends the loop: the current step is finished or abandoned, the journal is closed. So does a silence of
`SILENCE`: of a controller whose network or power went, no end of input ever comes, and it must not hold the host.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any, Optional, TypeVar

from . import events, facts, wire
from .events import Event
from .journal import FOLDER, Journal
from .lock import Lock
from .removal import Removal
from .step import AddressMoves, Change, RebootNeeded, Step, StepError, Unknown, os_error
from .system import Cancelled, System

#: Seconds without a word after which the controller is taken for gone, and how often that is looked at. It says that
#: it is alive every `engine.session.BEAT` seconds.
SILENCE, TICK = 60.0, 5.0


T = TypeVar("T")


class Loop:
    """Serves one controller until its input ends.

    Parameters
    ----------
    send
        Takes each event as it happens.
    system, folder, lock
        Other places than the host's own only in tests.
    """

    def __init__(
        self,
        send: "Callable[[dict[str, Any]], None]",
        system: Optional[System] = None,
        folder: str = FOLDER,
        lock: Optional[Lock] = None,
    ) -> None:
        self.send = send
        self.system = system or System()
        self.lock = lock or Lock()
        self._folder = folder
        self._journal: Optional[Journal] = None

    @property
    def journal(self) -> Journal:
        """Read when first needed: not every session looks at it."""
        if self._journal is None:
            self._journal = Journal.open(self._folder)
            self.system.keep = self._journal.keep
            self.system.kept_bytes = self._journal.kept_bytes
            self.system.claims = self._journal.services_of
        return self._journal

    def serve(self, request: "dict[str, Any]") -> None:
        """Answer one request."""
        do = request["do"]
        try:
            if do == "facts":
                wanted = facts.Wanted(**{name: tuple(found) for name, found in request.items() if name != "do"})
                self.send({"kind": "facts-gathered", "facts": vars(facts.gather(wanted))})
            elif do == "lock":
                self._lock(request)
            elif do == "group":
                self._group(request)
            elif do == "undo":
                self._undo(request)
            elif do == "lacking":
                self._lacking(request)
            elif do == "journal":
                self.send({"kind": "journal", "entries": [vars(entry) for entry in self.journal.entries.values()]})
            else:
                raise ValueError(f"unknown request {do!r}")
        except StepError as error:
            self._send_failed(request, error)
        except OSError as error:
            self._send_failed(request, os_error(error))

    def _send_failed(self, request: "dict[str, Any]", error: StepError, step: str = "", began: float = 0.0) -> None:
        self._emit(
            events.StepFailed(
                group=request.get("group", request["do"]),
                step=step,
                what=error.what,
                why=error.why,
                hint=error.hint,
                log=tuple(error.log),
                seconds=time.monotonic() - began if began else 0.0,
            )
        )

    def _emit(self, event: Event) -> None:
        self.send(events.to_json(event))

    def _lock(self, request: "dict[str, Any]") -> None:
        holder = self.lock.take(request["run"], request["who"])
        if holder is None:
            self.send({"kind": "locked"})
        else:
            self.send({"kind": "busy", "run": holder.run, "who": holder.who, "since": holder.since})

    def _lacking(self, request: "dict[str, Any]") -> None:
        self.system.recorded = self.journal.fingerprints(request["service"])
        lacking = []
        for number, data in enumerate(request["steps"]):
            try:
                if wire.decode(data).check(self.system) is not None:
                    lacking.append(number)
            except StepError:
                continue  # it is told when its turn comes, in its group
        self.send({"kind": "lacking", "numbers": lacking})

    # One group of steps

    def _group(self, request: "dict[str, Any]") -> None:
        title, mode, service = request["group"], request["mode"], request["service"]
        began = time.monotonic()
        self.system.deadline = began + request["timeout"]
        self.system.reached = request.get("reached", "")
        self.system.recorded = self.journal.fingerprints(service) if mode != "verify" else {}
        todo = [wire.decode(data) for data in request["steps"]]
        self._emit(events.GroupStarted(group=title, steps=len(todo)))
        changed = 0
        for number, step in enumerate(todo, 1):
            if self.system.cancel.is_set():
                self._emit(events.StepCancelled(group=title, step=step.title))
                return
            self._emit(events.StepStarted(group=title, step=step.title, number=number))
            step_began = time.monotonic()
            self.system.progress = self._progress(title, step)
            done = self._try(request, step.title, lambda: self._step(step, mode, service, request["run"]))  # noqa: B023
            if done is None:
                return
            changed += done[0] in ("changed", "would-change", "unknown")
            outcome, summary, diff = done
            seconds = time.monotonic() - step_began
            self._emit(
                events.StepDone(
                    group=title,
                    step=step.title,
                    outcome=outcome,
                    summary=summary,
                    diff=diff,
                    seconds=seconds,
                    seen=self.system.seen,
                )
            )
            self.system.seen = {}
        if mode == "apply":
            self.journal.sync()
        self._emit(events.GroupDone(group=title, changed=changed, seconds=time.monotonic() - began))

    def _try(self, request: "dict[str, Any]", step: str, work: "Callable[[], T]") -> "Optional[T]":
        """What ``work`` returns; None where it ended otherwise, which has been told by then and ends the group."""
        began = time.monotonic()
        try:
            return work()
        except Cancelled:
            self._emit(events.StepCancelled(group=request["group"], step=step))
        except RebootNeeded as reboot:
            self.send({"kind": "reboot", "group": request["group"], "boot_id": reboot.boot_id})
        except AddressMoves as move:
            where = {"address": move.address, "deadline": move.deadline}
            self.send({"kind": "moves", "group": request["group"], **where})
        except StepError as error:
            self._send_failed(request, error, step, began)
        except OSError as error:
            self._send_failed(request, os_error(error), step, began)
        return None

    def _progress(self, title: str, step: Step) -> Any:
        return lambda text: self._emit(events.StepProgress(group=title, step=step.title, text=text))

    def _step(self, step: Step, mode: str, service: str, run: str) -> "tuple[str, str, str]":
        """Carry out one step; returns outcome, summary and diff."""
        answer = step.check(self.system)
        if mode == "verify":
            if answer is not None:
                raise StepError(answer.summary if isinstance(answer, Change) else answer.reason)
            return "passed", "", ""
        if mode == "check":
            if isinstance(answer, Unknown):
                return "unknown", answer.reason, ""
            return ("would-change", answer.summary, answer.diff) if answer else ("unchanged", "", "")
        if isinstance(answer, Unknown):
            raise StepError(f"{step.title} cannot be judged", why=answer.reason)
        description = wire.encode(step)
        if answer is None:
            self.journal.intend(service, description, step.resources(), {}, run)
            return "unchanged", "", ""
        self.journal.intend(service, description, step.resources(), answer.before, run)
        step.apply(self.system, answer)
        after = step.fingerprint(self.system)
        for resource in step.resources():
            self.journal.confirm(service, resource, after)
            self.system.recorded[resource] = after
        self.system.changed.update(step.resources())
        left = step.check(self.system)
        if left is not None:
            rest = left.summary if isinstance(left, Change) else left.reason
            raise StepError(f"{step.title} was carried out, but did not hold", why=rest)
        return "changed", answer.summary, answer.diff

    # Putting back

    def _undo(self, request: "dict[str, Any]") -> None:
        title, service, wanted = request["group"], request["service"], set(request.get("wanted", ()))
        began = time.monotonic()
        self.system.deadline = began + request["timeout"]
        self.system.reached = request.get("reached", "")
        self.system.purge = bool(request.get("purge"))
        self.system.recorded = self.journal.fingerprints(service)
        removal = Removal(self.system, self.journal, service, wanted)
        batches = list(removal.batches())
        self._emit(events.GroupStarted(group=title, steps=len(batches)))
        changed = 0
        for number, batch in enumerate(batches, 1):
            name = ", ".join(entry.resource for entry in batch)
            if self.system.cancel.is_set():
                self._emit(events.StepCancelled(group=title, step=name))
                return
            self._emit(events.StepStarted(group=title, step=name, number=number))
            step_began = time.monotonic()
            done = self._try(request, name, lambda: removal.put_back(batch, dry=request["mode"] == "check"))  # noqa: B023
            if done is None:
                return
            outcome, summary = done
            changed += outcome in ("undone", "would-change")
            seconds = time.monotonic() - step_began
            self._emit(events.StepDone(group=title, step=name, outcome=outcome, summary=summary, seconds=seconds))
        if request["mode"] != "check" and self._try(request, "what runs again", removal.finish) is None:
            return
        self._emit(events.GroupDone(group=title, changed=changed, seconds=time.monotonic() - began))

    def close(self) -> None:
        """End the session: tidy the journal, free the lock.

        Where bramble no longer stands for anything on this host, nothing of bramble stays, either.
        """
        if self._journal is not None and self.lock.held:
            self._journal.close()
            if not self._journal.entries:
                # While the lock is held: nobody else is at work. What runs is loaded, and needs its files no longer.
                shutil.rmtree(os.path.dirname(self.lock.path), ignore_errors=True)
        self.lock.release()


class _Ear:
    """Takes requests from a stream into a queue; None is the end: of the input, or of our patience with a silence."""

    def __init__(self, stdin: "IO[bytes]", cancel: threading.Event) -> None:
        self.requests: "queue.Queue[Optional[dict[str, Any]]]" = queue.Queue()
        self._stdin = stdin
        self._cancel = cancel
        self._heard = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether the stream is still being read: nobody ended it."""
        return self._reader.is_alive()

    def _end(self) -> None:
        self._cancel.set()
        self.requests.put(None)

    def _read(self) -> None:
        try:
            for line in self._stdin:
                self._heard.set()
                if not line.endswith(b"\n"):
                    break  # the controller was cut off in the middle of a word
                request = json.loads(line)
                if request["do"] == "cancel":
                    self._cancel.set()
                elif request["do"] != "alive":
                    self.requests.put(request)
        finally:
            self._end()

    def _watch(self) -> None:
        quiet = 0
        # Ticks are counted and not seconds: a host that was suspended has not been left alone meanwhile.
        while quiet * TICK < SILENCE:
            time.sleep(TICK)
            quiet = 0 if self._heard.is_set() else quiet + 1
            self._heard.clear()
        self._end()


def main(stdin: "IO[bytes]" = sys.stdin.buffer, stdout: "IO[bytes]" = sys.stdout.buffer) -> None:
    """Serve the controller at the other end of these streams."""
    writing = threading.Lock()

    def send(message: "dict[str, Any]") -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        with writing:
            try:
                stdout.write(line)
                stdout.flush()
            except OSError:
                # Nobody listens any more: the input ends, too, and that is what ends the loop.
                loop.system.cancel.set()

    loop = Loop(send)
    ear = _Ear(stdin, loop.system.cancel)
    os.umask(0o022)
    try:
        while True:
            request = ear.requests.get()
            if request is None:
                break
            loop.serve(request)
    finally:
        loop.close()
    if ear.busy:
        # Python cannot end in order while a thread of ours waits for input that will never come.
        os._exit(0)
