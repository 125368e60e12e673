"""A change of the network that is taken back by itself unless somebody who came by the new way says that it may stay.

A process of its own, outside of every session: those end when the network changes. What it is to do, and how it stands,
are files in `FOLDER`, which goes with a restart.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, Optional

from .dataclass import asdict, dataclass
from .step import StepError
from .steps.filesystem import write
from .system import System

FOLDER = "/run/bramble-address"

#: The transient unit that it runs in.
UNIT = "bramble-address"

#: Seconds until it begins, so that the news of it reach the controller; and between two looks for a word.
NOTICE, LOOK = 1.0, 0.2

#: Seconds that whoever manages the network has to bring the old address back.
PATIENCE = 15.0

#: How a trial stands.
TRYING, TRIED, KEPT, BACK, FAILED = "trying", "tried", "kept", "back", "failed"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is tried.

    Attributes
    ----------
    address
        Where the host will be found.
    deadline
        Seconds until it is taken back.
    files, before
        Path → text and mode, or None for no file: as they shall be, and as they are.
    forth, back
        Commands that bring each of both in force.
    rescue
        Commands that give the interface what it had, by hand, where those who should do not.
    has
        A command that says something as long as the interface has an address.
    record
        What the journal is to know of it.
    """

    address: str
    deadline: float
    files: "Mapping[str, Optional[tuple[str, int]]]"
    before: "Mapping[str, Optional[tuple[str, int]]]"
    forth: "tuple[tuple[str, ...], ...]"
    back: "tuple[tuple[str, ...], ...]"
    rescue: "tuple[tuple[str, ...], ...]"
    has: "tuple[str, ...]"
    record: "Mapping[str, Any]"


def begin(system: System, trial: Trial) -> None:
    """Start it; it goes on without us.

    Raises
    ------
    StepError
        systemd would not start it.
    """
    forget(system)
    folder = system.path(FOLDER)
    os.mkdir(folder, 0o700)
    _put(folder, "trial", asdict(trial))
    _put(folder, "state", {"state": TRYING, "why": ""})
    package = __name__.rpartition(".")[0]
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    program = f"import sys; sys.path.insert(0, {home!r}); from {package}.trial import main; main()"
    argv = ["systemd-run", "--quiet", "--collect", f"--unit={UNIT}", sys.executable, "-IS", "-c", program]
    try:
        system.must(argv, "the change of the network could not be begun")
    except StepError:
        forget(system)
        raise


def found(system: System) -> "Optional[tuple[Trial, str, str]]":
    """The trial that is under way or was not looked after yet, how it stands, and why; None where there is none."""
    folder = system.path(FOLDER)
    trial, state = _get(folder, "trial"), _get(folder, "state")
    return (Trial(**trial), state["state"], state["why"]) if trial and state else None


def keep(system: System) -> None:
    """Say that it may stay, and wait until that was heard.

    Raises
    ------
    StepError
        It was taken back already.
    """
    folder = system.path(FOLDER)
    open(os.path.join(folder, "keep"), "w").close()
    while True:
        state = _get(folder, "state") or {"state": BACK, "why": ""}
        if state["state"] == KEPT:
            forget(system)
            return
        if state["state"] in (BACK, FAILED):
            forget(system)
            raise StepError("the host took the change of its address back just then", hint="run the same again")
        system.sleep(LOOK)


def forget(system: System) -> None:
    """Take away what an ended trial left."""
    shutil.rmtree(system.path(FOLDER), ignore_errors=True)


def main(folder: str = FOLDER) -> None:
    """Try it, and take it back unless a word comes."""
    trial = Trial(**(_get(folder, "trial") or {}))
    time.sleep(NOTICE)
    why = _bring(trial.files, trial.forth)
    if why:
        _take_back(trial)
        _put(folder, "state", {"state": FAILED, "why": why})
        return
    _put(folder, "state", {"state": TRIED, "why": ""})
    ends = time.monotonic() + trial.deadline
    while time.monotonic() < ends:
        if os.path.exists(os.path.join(folder, "keep")):
            _put(folder, "state", {"state": KEPT, "why": ""})
            return
        time.sleep(LOOK)
    _put(folder, "state", {"state": BACK, "why": _take_back(trial)})


def _take_back(trial: Trial) -> str:
    """Everything as it was; returns what of it failed."""
    why = _bring(trial.before, trial.back)
    ends = time.monotonic() + PATIENCE
    while not _says(trial.has):
        if time.monotonic() > ends:
            # The host must be reached again, whatever became of those who manage its network.
            return "; ".join(filter(None, (why, "its address was set by hand", _bring({}, trial.rescue))))
        time.sleep(LOOK)
    return why


def _says(argv: "tuple[str, ...]") -> bool:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return bool(done.stdout.strip())


def _bring(files: "Mapping[str, Optional[tuple[str, int]]]", commands: "tuple[tuple[str, ...], ...]") -> str:
    """Put files in place and bring them in force; returns why that failed, empty if it did not.

    After a failure it goes on: of what is left the more the better.
    """
    wrong = []
    try:
        for path, wanted in files.items():
            if wanted is not None:
                write(path, wanted[0].encode("utf-8", "surrogateescape"), wanted[1], 0, 0)
            elif os.path.lexists(path):
                os.unlink(path)
    except (OSError, StepError) as error:
        wrong.append(str(error))
    for argv in commands:
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            wrong.append(str(error))
            continue
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            wrong.append(f"{' '.join(argv)}: {said[0] if said else f'status {done.returncode}'}")
    return "; ".join(wrong)


def _put(folder: str, name: str, data: "Mapping[str, Any]") -> None:
    write(os.path.join(folder, name), json.dumps(data).encode(), 0o600, os.getuid(), os.getgid())


def _get(folder: str, name: str) -> "Optional[dict[str, Any]]":
    try:
        with open(os.path.join(folder, name)) as file:
            data: dict[str, Any] = json.load(file)
            return data
    except FileNotFoundError:
        return None
