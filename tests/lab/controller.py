"""A controller as a person has one: the command line in processes of its own, with folders of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bramble.lab.testing import Lab

ROOMS = Path(__file__).parent / "rooms"
_WORDS_OF_A_BUG = ("Traceback (most recent call last)", "this is a mistake in bramble", "never retrieved")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    words: tuple[str, ...]
    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """All it said, to people and to programs."""
        return self.stdout + self.stderr

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of a command with ``--json``; a line that a kill cut off is no event."""
        lines = self.stdout.splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    @property
    def report(self) -> dict[str, Any]:
        """The report of a command with ``--json``."""
        finished = [event for event in self.events if event["kind"] == "run-finished"]
        assert finished, f"{' '.join(self.words)} ended with {self.status} and no report:\n{self.said[-3000:]}"
        found: dict[str, Any] = finished[-1]["report"]
        return found

    def about(self, host: str) -> str:
        """What it tells people of a host's failure: ``failed: HOST`` and the lines indented under it, as one line."""
        for block in re.findall(r"^(?:failed|skipped|kept): .*(?:\n(?: .*)?$)*", self.stdout, re.MULTILINE):
            text = " ".join(block.split())
            if re.match(rf"\w+: (\S+,)?{re.escape(host)}[:, ]", text):
                return text
        raise AssertionError(f"{' '.join(self.words)} tells nothing of {host}:\n{self.said[-3000:]}")

    def outcomes(self) -> dict[str, str]:
        """How it ended on each host."""
        return {result["host"]: result["outcome"] for result in self.report["hosts"]}

    def failure(self, host: str) -> dict[str, Any]:
        """Why a host failed."""
        found = next(result["failure"] for result in self.report["hosts"] if result["host"] == host)
        assert found, f"{host} did not fail:\n{self.said[-3000:]}"
        return dict(found)


class Running:
    """A command with ``--json`` under way, whose events can be followed."""

    def __init__(self, words: tuple[str, ...], env: dict[str, str], beside: tuple[str, ...] = ()) -> None:
        self.words = words
        self.process = subprocess.Popen(
            [*beside, sys.executable, "-m", "bramble", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
            start_new_session=True,
        )
        self._out: list[str] = []
        self._err: list[str] = []
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()

    def _read_stderr(self) -> None:
        assert self.process.stderr
        self._err.extend(self.process.stderr)

    def events(self) -> Iterator[dict[str, Any]]:
        """Events as they come, until the command ends."""
        assert self.process.stdout
        for line in self.process.stdout:
            self._out.append(line)
            if line.startswith("{") and line.endswith("\n"):
                yield json.loads(line)

    def until(self, kind: str, **fields: str) -> dict[str, Any]:
        """Wait for an event of this kind whose fields hold these texts."""
        for event in self.events():
            if event["kind"] == kind and all(text in str(event.get(name, "")) for name, text in fields.items()):
                return event
        raise AssertionError(f"no {kind} with {fields} came:\n{''.join(self._out)[-3000:]}{''.join(self._err)[-2000:]}")

    def _close(self) -> None:
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream
            stream.close()

    def kill(self) -> None:
        """SIGKILL, as the kernel does it when memory runs out."""
        self.process.kill()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def finish(self, timeout: float = 180.0) -> Done:
        """Wait for the end; a command that takes longer than it may is ended, and an error."""
        watch = threading.Timer(timeout, self.process.kill)
        watch.start()
        try:
            for _ in self.events():
                pass
            status = self.process.wait()
        finally:
            late = not watch.is_alive()
            watch.cancel()
            self._close()
        done = Done(self.words, status, "".join(self._out), "".join(self._err))
        assert not late, f"{' '.join(self.words)} did not end in {timeout:.0f} s:\n{done.said[-3000:]}"
        return _without_bugs(done)


@dataclass(frozen=True)
class Controller:
    """Folders of one person, and the command line in them.

    Attributes
    ----------
    beside
        Words before each command: where it is run, if not just here.
    """

    folder: Path
    cluster: str
    env: dict[str, str] = field(default_factory=dict)
    beside: tuple[str, ...] = ()

    @classmethod
    def of(cls, lab: Lab, folder: Path) -> Self:
        """A controller that has never done anything, and knows a lab's hosts by their cluster file."""
        controller = cls.new(folder, lab.status.cluster)
        shutil.copy(lab.status.cluster_file, controller.cluster_file.parent)
        return controller

    @classmethod
    def new(cls, folder: Path, cluster: str) -> Self:
        """A controller that has never done anything, and knows no hosts."""
        env = dict(os.environ)
        for name in ("config", "data", "state"):
            (folder / name).mkdir(parents=True)
            env[f"XDG_{name.upper()}_HOME"] = str(folder / name)
        (folder / "config" / "bramble" / "clusters").mkdir(parents=True)
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOMS), env.get("PYTHONPATH", "")]))
        env["KUBECONFIG"] = str(folder / "kube" / "config")
        env.pop("BRAMBLE_DEBUG", None)
        return cls(folder, cluster, env)

    @property
    def cluster_file(self) -> Path:
        """What this person wrote about the cluster."""
        return self.folder / "config" / "bramble" / "clusters" / f"{self.cluster}.yaml"

    def run(self, *words: str, timeout: float = 180.0, env: dict[str, str] | None = None, stdin: str = "") -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [*self.beside, sys.executable, "-m", "bramble", *words],
            input=stdin,
            capture_output=True,
            text=True,
            env={**self.env, **(env or {})},
            timeout=timeout,
            check=False,
        )
        return _without_bugs(Done(words, done.returncode, done.stdout, done.stderr))

    def json(self, *words: str, **options: Any) -> Done:
        """Run a command to its end, its events as JSON lines."""
        return self.run(*words, "--json", **options)

    def start(self, *words: str) -> Running:
        """Start a command whose events can be followed."""
        return Running((*words, "--json"), self.env, self.beside)


def _without_bugs(done: Done) -> Done:
    for words in _WORDS_OF_A_BUG:
        assert words not in done.said, f"{' '.join(done.words)} shows a mistake of ours:\n{done.said[-4000:]}"
    return done
