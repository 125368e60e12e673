"""Carries out a verb for a command: shows its events, ends it cleanly on a signal, and tells how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..errors import BrambleError, Interrupted
from .complaint import complain
from .options import Output, Reached

if TYPE_CHECKING:
    from ..api import Reach
    from ..engine.report import Report
    from ..runner.events import Event

#: What a command does on one cluster: one verb, or some after each other.
Work = Callable[["Reach"], Awaitable["list[Report]"]]

#: Seconds between two drawings of the hosts.
_TICK = 0.1

#: What ends a run cleanly: Ctrl-C, `kill`, a terminal that was closed.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Display(Protocol):
    """Shows a run; `Progress`, `Lines` and `JsonLines` are displays."""

    def take(self, event: Event, cluster: str = "") -> None:
        """Show an event; ``cluster`` where more than one is at work."""

    def fail(self, error: BrambleError, cluster: str = "") -> None:
        """Show the error that ended a run, where standard error is not the place for it."""

    def say(self, text: str) -> None:
        """Show words of the controller."""

    def tick(self) -> None:
        """Draw anew, where the display redraws."""

    def close(self) -> None:
        """End, whatever happened."""


class Silent:
    """Shows nothing: for commands whose result is what they print, where nobody watches."""

    def take(self, event: Event, cluster: str = "") -> None:
        """Nothing."""

    def fail(self, error: BrambleError, cluster: str = "") -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Words of the controller go to standard error even so."""
        sys.stderr.write(text + "\n")

    def tick(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def display(output: Output, *, transient: bool = False) -> Display:
    """The display for these options and this terminal.

    Parameters
    ----------
    transient
        Progress alone, on standard error: standard output belongs to the result.
    """
    if output.json:
        from .jsonlines import JsonLines

        return JsonLines()
    from .terminal import lively

    stream = sys.stderr if transient else sys.stdout
    if lively(stream):
        from .progress import Progress

        return Progress(stream, verbose=output.verbose, diff=output.diff, transient=transient)
    if transient:
        return Silent()
    from .lines import Lines

    return Lines(verbose=output.verbose, diff=output.diff)


def carry_out(work: Work, reached: Reached, shown: Display) -> list[Report]:
    """Do the work on each cluster, all clusters at once.

    Returns
    -------
    All reports, in the order of the clusters.

    Raises
    ------
    BrambleError
        What ended the work on the only cluster.
    BaseExceptionGroup
        What ended it on some of several clusters; the others are through.
    """
    if len(reached.each) > 1:
        # A typing error in one name must not be found when the others are half done.
        from .door import resolve

        for reach in reached.each:
            resolve(reach)
    from .door import api

    return api.run(_Supervisor(shown).supervise(work, reached.each))


T = TypeVar("T")


def until_signal(verb: Coroutine[Any, Any, T]) -> T:
    """Carry out a verb of this machine alone; a signal cancels it, and it ends cleanly.

    Raises
    ------
    Interrupted
        A signal came.
    """

    async def guarded() -> T:
        work = asyncio.ensure_future(verb)
        loop = asyncio.get_running_loop()
        heard = _heard()
        for number in heard:
            loop.add_signal_handler(number, work.cancel)
        try:
            return await work
        except asyncio.CancelledError:
            raise Interrupted("interrupted") from None
        finally:
            for number in heard:
                loop.remove_signal_handler(number)

    return asyncio.run(guarded())


def _heard() -> list[signal.Signals]:
    """Signals that end a run; `nohup` and background jobs of a shell ignore some of them, and mean it."""
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def conclude(reports: list[Report], *, told: bool = True) -> int:
    """The exit code of some reports; says of each that is not good what is wrong with it.

    Parameters
    ----------
    told
        The display has shown the failures already; else they are shown now, on standard error.
    """
    from . import summary
    from .terminal import console, show

    several = len({report.cluster for report in reports}) > 1
    for report in reports:
        data = report.to_json()
        if not told:
            error_console = console(sys.stderr)
            for block in summary.failures(data):
                show(error_console, block)
        if not report.ok:
            complain(*summary.verdict(data, report.cluster if several else ""))
    return max((int(report.exit_code) for report in reports), default=0)


class _Supervisor:
    """Waits for the work, and ends it when a signal comes or the display breaks."""

    def __init__(self, shown: Display) -> None:
        self._shown = shown
        self._tasks: list[asyncio.Task[list[Report]]] = []
        self._stopping = False
        self._broken: Exception | None = None
        self._at_work: dict[str, str] = {}

    async def supervise(self, work: Work, reaches: list[Reach]) -> list[Report]:
        names = [reach.get("cluster", "") if len(reaches) > 1 else "" for reach in reaches]
        for name, reach in zip(names, reaches, strict=True):
            watched: Reach = {**reach, "on_event": partial(self._take, name)}
            self._tasks.append(asyncio.ensure_future(_whole(work, watched)))
        ticking = asyncio.create_task(self._tick())
        try:
            with self._signals():
                ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            ticking.cancel()
            with contextlib.suppress(OSError):
                self._shown.close()
        return self._collect(names, ended)

    def _collect(self, names: list[str], ended: list[list[Report] | BaseException]) -> list[Report]:
        errors = [(name, end) for name, end in zip(names, ended, strict=True) if isinstance(end, BaseException)]
        if self._broken is not None and not isinstance(self._broken, OSError):
            raise self._broken
        for name, error in errors:
            if isinstance(error, BrambleError):
                with contextlib.suppress(OSError):
                    self._shown.fail(error, name)
        if len(errors) == 1 and len(ended) == 1:
            raise errors[0][1]
        if errors:
            raise BaseExceptionGroup("some clusters", [error for _, error in errors])
        return [report for reports in ended if isinstance(reports, list) for report in reports]

    # What the work tells

    def _take(self, cluster: str, event: Event) -> None:
        """Show an event. A display that cannot write any more ends the run as a signal does, not in the middle."""
        self._note(event)
        if self._broken is None:
            try:
                self._shown.take(event, cluster)
            except Exception as error:  # noqa: BLE001  (raised again when the hosts have stopped)
                self._broken = error
                self._stop()

    def _note(self, event: Event) -> None:
        from ..runner import events

        if isinstance(event, events.StepStarted):
            self._at_work[event.host] = event.step
        elif isinstance(event, events.GroupDone | events.StepFailed | events.StepCancelled | events.HostFailed):
            self._at_work.pop(event.host, None)

    async def _tick(self) -> None:
        while self._broken is None:
            try:
                self._shown.tick()
            except OSError as error:
                self._broken = error
                self._stop()
            await asyncio.sleep(_TICK)

    # Signals

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        heard = _heard()
        for number in heard:
            loop.add_signal_handler(number, self._signal)
        try:
            yield
        finally:
            for number in heard:
                loop.remove_signal_handler(number)

    def _signal(self) -> None:
        first = not self._stopping
        self._stop()
        if first:
            self._say("stopping: hosts finish or abandon their step")
            return
        from .door import remote
        from .story import fold, short

        if remote() is not None:
            # The hosts are not ours to bring to a stop: the service does that, whether somebody waits or not.
            for task in self._tasks:
                task.cancel()
            return
        waiting = [f"{fold([host])} ({short(step)})" for host, step in self._at_work.items()]
        doing = ", ".join(waiting[:3]) + (f" and {len(waiting) - 3} more" if len(waiting) > 3 else "")
        self._say(f"still finishing: {doing}" if doing else "still finishing")

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._shown.say(text)

    def _stop(self) -> None:
        # Once only: the verb answers the first cancellation by bringing the hosts to a clean stop, and a second one
        # would cut that off.
        if not self._stopping:
            self._stopping = True
            for task in self._tasks:
                task.cancel()


async def _whole(work: Work, reach: Any) -> list[Report]:
    try:
        return await work(reach)
    except asyncio.CancelledError:
        raise Interrupted("interrupted", hint="how far it got: bramble runs") from None
