"""The runner at work in a host of a lab, past network and sshd: for tests of steps, bramble's own and others'."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from dataclasses import dataclass
from typing import Any

from bramble.engine.archive import archive
from bramble.engine.session import BEAT
from bramble.lab.inside import entrance
from bramble.lab.process import clean_environment
from bramble.lab.state import existing
from bramble.runner.step import Step
from bramble.runner.wire import encode

Message = dict[str, Any]

#: Messages that end a piece of work.
ENDS = ("group-done", "step-failed", "step-cancelled", "reboot", "moves")


@dataclass(frozen=True)
class Work:
    """All that a runner said about one group or removal."""

    messages: tuple[Message, ...]

    @property
    def outcomes(self) -> list[str]:
        """What became of each step, in order: ``changed``, ``kept``, ``failed`` and so on."""
        ends = {"step-done": "", "step-failed": "failed", "step-cancelled": "cancelled"}
        ends.update({"reboot": "reboot", "moves": "moves"})
        return [m.get("outcome") or ends[m["kind"]] for m in self.messages if m["kind"] in ends]

    @property
    def summaries(self) -> list[str]:
        """What each step that is through said."""
        return [m.get("summary", "") for m in self.messages if m["kind"] == "step-done"]

    @property
    def progress(self) -> list[str]:
        """What steps said on their way."""
        return [m["text"] for m in self.messages if m["kind"] == "step-progress"]

    @property
    def failure(self) -> Message:
        """The message of the step that failed: ``what``, ``why``, ``hint``, ``log``."""
        last = self.messages[-1]
        assert last["kind"] == "step-failed", last
        return {"why": "", "hint": "", "log": [], **last}


class Stepping:
    """A runner process in a host, as the engine has one over SSH. To be used in a ``with`` statement.

    Parameters
    ----------
    lab, host
        Of the lab and the host.
    service
        Whose steps these are.
    """

    def __init__(self, lab: str, host: str, service: str = "test") -> None:
        spec = existing(lab)
        program = ["python3", "-c", archive().program, archive().name, "loop"]
        self.service = service
        self._process = subprocess.Popen(
            [*entrance(spec, spec.host(host)), *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(),
        )
        self._writing = threading.Lock()
        self._write(b"bramble\n")
        #: The version of Python on the host.
        self.python: str = self.read()["python"]
        if self.read()["kind"] == "need":
            self._write(b"%d\n" % len(archive().data) + archive().data)
            self.read()
        self.send({"do": "lock", "run": "run", "who": "a test"})
        answer = self.read()
        assert answer["kind"] == "locked", answer
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat)
        self._beating.start()

    def __enter__(self) -> Stepping:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def group(self, *steps: Step, mode: str = "apply", timeout: float = 300.0) -> Work:
        """Carry out a group, or with ``mode="check"`` only look."""
        self.send_group(*steps, mode=mode, timeout=timeout)
        return self.result()

    def send_group(self, *steps: Step, mode: str = "apply", timeout: float = 300.0) -> None:
        """As `group`, without waiting: `result` does that."""
        described = [encode(step, reveal=True) for step in steps]
        request = {"do": "group", "group": "group", "service": self.service, "run": "run", "steps": described}
        self.send({**request, "mode": mode, "timeout": timeout})

    def undo(self, *, purge: bool = False, timeout: float = 300.0) -> Work:
        """Put everything back."""
        request = {"do": "undo", "group": "removal", "service": self.service, "mode": "apply"}
        self.send({**request, "purge": purge, "timeout": timeout})
        return self.result()

    def result(self) -> Work:
        """All messages until the work under way ends."""
        messages = [self.read()]
        while messages[-1]["kind"] not in ENDS:
            messages.append(self.read())
        return Work(tuple(messages))

    def cancel(self) -> None:
        """Ask it to end what is under way."""
        self.send({"do": "cancel"})

    def send(self, message: Message) -> None:
        """Send one message of the runner's protocol."""
        self._write(json.dumps(message).encode() + b"\n")

    def read(self) -> Message:
        """The next message.

        Raises
        ------
        EOFError
            The runner is gone.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError("the runner ended")
        message: Message = json.loads(line)
        return message

    def kill(self) -> None:
        """End it as a crash does."""
        self._silence()
        self._process.kill()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._wait()

    def close(self) -> None:
        """End it as the engine does: it finishes its step first."""
        assert self._process.stdin is not None
        self._silence()
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._wait()

    def _silence(self) -> None:
        self._over.set()
        self._beating.join()

    def _beat(self) -> None:
        """Tell the runner that somebody is there; it ends without."""
        while not self._over.wait(BEAT):
            with contextlib.suppress(OSError):  # the host is off: whoever reads is told
                self.send({"do": "alive"})

    def _wait(self) -> None:
        self._process.wait(60)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with self._writing:
            self._process.stdin.write(data)
            self._process.stdin.flush()
