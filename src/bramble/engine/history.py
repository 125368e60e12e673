"""What was run, when, how long each step took on each host: SQLite, for `bramble runs`."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import BrambleError
from ..runner.events import Event, FactsGathered, StepDone, StepFailed
from ..runner.facts import Facts
from .report import Report

#: Raised when the tables change; `PRAGMA user_version` says which a file has.
VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, verb TEXT NOT NULL, service TEXT NOT NULL, cluster TEXT NOT NULL, command TEXT NOT NULL,
    pid INTEGER NOT NULL, started REAL NOT NULL, seconds REAL, exit_code INTEGER, report TEXT
);
CREATE TABLE IF NOT EXISTS steps (
    run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE, host TEXT NOT NULL, position INTEGER NOT NULL,
    title TEXT NOT NULL, step TEXT NOT NULL, outcome TEXT NOT NULL, summary TEXT NOT NULL, seconds REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS steps_of_run ON steps(run);
CREATE TABLE IF NOT EXISTS facts (
    cluster TEXT NOT NULL, host TEXT NOT NULL, facts TEXT NOT NULL, time REAL NOT NULL, PRIMARY KEY (cluster, host)
);
"""


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """One step on one host in one run; ``seconds`` by the host's own clock."""

    host: str
    group: str
    step: str
    outcome: str
    summary: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class PastRun:
    """A run as the history has it.

    ``state`` is ``done``, ``failed``, ``interrupted``, ``running``, or ``cut off``: begun, and its process is gone.
    """

    id: str
    verb: str
    service: str
    cluster: str
    command: str
    state: str
    started: float
    seconds: float | None
    exit_code: int | None
    report: dict[str, Any] | None
    steps: tuple[StepTime, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The documented JSON form."""
        return asdict(self)


class History:
    """The history of this user's runs; a file that is made when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=10)) as database:
                database.row_factory = sqlite3.Row
                database.execute("PRAGMA foreign_keys = ON")
                if database.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                    # WAL: a long run that writes does not keep others from reading.
                    database.execute("PRAGMA journal_mode = WAL")
                    database.executescript(_TABLES + f"PRAGMA user_version = {VERSION};")
                with database:
                    yield database
        except (sqlite3.Error, OSError) as error:
            raise BrambleError(
                f"the history {self.path} cannot be used",
                why=str(error),
                hint=f"move it away to begin a new one: mv {self.path} {self.path}.old",
            ) from None

    def begin(self, id: str, verb: str, service: str, cluster: str, command: str) -> None:
        """Note that a run begins."""
        with self._open() as database:
            database.execute(
                "INSERT INTO runs (id, verb, service, cluster, command, pid, started) VALUES (?,?,?,?,?,?,?)",
                (id, verb, service, cluster, command, os.getpid(), time.time()),
            )

    def end(self, report: Report, happened: list[Event], exit_code: int | None = None) -> None:
        """Note how a run ended and how long its steps took; ``exit_code`` where the report's own does not hold."""
        rows = [
            (report.run, event.host, position, event.group, event.step, outcome, summary, event.seconds)
            for position, event in enumerate(happened)
            if isinstance(event, StepDone | StepFailed)
            for outcome, summary in [
                ("failed", event.what) if isinstance(event, StepFailed) else (event.outcome, event.summary)
            ]
        ]
        with self._open() as database:
            database.execute(
                "UPDATE runs SET seconds = ?, exit_code = ?, report = ? WHERE id = ?",
                (
                    report.seconds,
                    int(report.exit_code if exit_code is None else exit_code),
                    json.dumps(report.to_json()),
                    report.run,
                ),
            )
            database.executemany("INSERT INTO steps VALUES (?,?,?,?,?,?,?,?)", rows)
            database.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?,?,?,?)",
                [
                    (report.cluster, event.host, json.dumps(event.facts), event.time)
                    for event in happened
                    if isinstance(event, FactsGathered)
                ],
            )

    def runs(
        self,
        limit: int = 50,
        *,
        before: str = "",
        cluster: str = "",
        service: str = "",
        verb: str = "",
        state: str = "",
        brief: bool = False,
    ) -> list[PastRun]:
        """The latest runs, newest first, without their steps.

        Parameters
        ----------
        before
            Only those that are older than the run of this id.
        cluster, service, verb, state
            Only those of it.
        brief
            Their reports without ``hosts`` and ``data``.
        """
        if not self.path.exists():
            return []
        wanted = {"cluster": cluster, "service": service, "verb": verb}
        named = {name: value for name, value in wanted.items() if value}
        where = [f"{name} = :{name}" for name in named]
        if before:
            # By more than the time: two may have begun at the same moment.
            where.append("(started, id) < (SELECT started, id FROM runs WHERE id = :before)")
        # What is left out is not read either: a report of 1,000 hosts has a quarter of a megabyte.
        report = "json_remove(report, '$.hosts', '$.data') AS report" if brief else "report"
        query = (
            f"SELECT id, verb, service, cluster, command, pid, started, seconds, exit_code, {report} FROM runs"  # noqa: S608
            f" WHERE {' AND '.join(where) or 'TRUE'} ORDER BY started DESC, id DESC"
        )
        with self._open() as database:
            rows = database.execute(query, {**named, "before": before})
            # Whether one is cut off is not in the database: its process tells.
            found = (past for past in map(_past, rows) if state in ("", past.state))
            return list(itertools.islice(found, limit))

    def run(self, id: str) -> PastRun | None:
        """One run with its steps, by id or the beginning of one; None if there is none, or more than one."""
        if not self.path.exists():
            return None
        with self._open() as database:
            rows = database.execute("SELECT * FROM runs WHERE substr(id, 1, ?) = ?", (len(id), id)).fetchall()
            if len(rows) != 1:
                return None
            steps = database.execute("SELECT * FROM steps WHERE run = ? ORDER BY position", (rows[0]["id"],)).fetchall()
        return _past(
            rows[0],
            tuple(
                StepTime(
                    host=row["host"],
                    group=row["title"],
                    step=row["step"],
                    outcome=row["outcome"],
                    summary=row["summary"],
                    seconds=row["seconds"],
                )
                for row in steps
            ),
        )

    def facts(self, cluster: str) -> dict[str, Facts]:
        """What each host of a cluster was when it last answered."""
        if not self.path.exists():
            return {}
        with self._open() as database:
            rows = database.execute("SELECT host, facts FROM facts WHERE cluster = ?", (cluster,)).fetchall()
        return {row["host"]: Facts.from_json(json.loads(row["facts"])) for row in rows}


def _past(row: sqlite3.Row, steps: tuple[StepTime, ...] = ()) -> PastRun:
    code = row["exit_code"]
    states = {0: "done", 130: "interrupted"}
    state = states.get(code, "failed") if code is not None else ("running" if _is_alive(row["pid"]) else "cut off")
    return PastRun(
        id=row["id"],
        verb=row["verb"],
        service=row["service"],
        cluster=row["cluster"],
        command=row["command"],
        state=state,
        started=row["started"],
        seconds=row["seconds"],
        exit_code=code,
        report=json.loads(row["report"]) if row["report"] else None,
        steps=steps,
    )


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
