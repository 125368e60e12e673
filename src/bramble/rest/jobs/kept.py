"""What is kept of jobs: themselves, events of the latest, and for a day the keys by which they were asked for."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

from ..database import Database
from .job import OVER, Happening, Job, State

#: Of so many jobs, the latest, events are kept.
EVENTS_OF = 500

#: Seconds after which an idempotency key is forgotten.
KEYS_FOR = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which jobs are asked for; what is empty does not matter.

    Attributes
    ----------
    before
        Only those older than this one.
    """

    limit: int = 50
    before: str = ""
    cluster: str = ""
    service: str = ""
    verb: str = ""
    state: str = ""
    who: str = ""

    def fits(self, job: Job) -> bool:
        """Whether a job is one of them."""
        names = ("cluster", "service", "verb", "state", "who")
        asked = [(getattr(self, name), getattr(job, name)) for name in names]
        return all(one in ("", other) for one, other in asked) and (not self.before or job.id < self.before)


class Kept:
    """The jobs in the database; those that an earlier process left in the middle are marked as cut off."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.change() as change:
            change.execute("UPDATE jobs SET state = 'cut off' WHERE state IN ('queued', 'running')")

    def add(self, job: Job, key: str = "", fingerprint: str = "") -> None:
        """Keep a new job, and the key that it was asked for with."""
        with self._database.change() as change:
            change.execute(
                "INSERT INTO jobs (id, verb, cluster, service, arguments, secrets, who, state, hosts, created, run)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (job.id, job.verb, job.cluster, job.service, json.dumps(job.arguments), json.dumps(job.secrets),
                 job.who, job.state, json.dumps(job.hosts), job.created, job.run),
            )  # fmt: skip
            if key:
                change.execute("DELETE FROM job_keys WHERE time < ?", (time.time() - KEYS_FOR,))
                change.execute(
                    "INSERT OR REPLACE INTO job_keys VALUES (?,?,?,?,?)",
                    (job.who, key, fingerprint, job.id, time.time()),
                )

    def save(self, job: Job) -> None:
        """Write down how a job stands, and what happened since the last time."""
        new = job.happened[job.saved :]
        with self._database.change() as change:
            updated = change.execute(
                "UPDATE jobs SET state=?, hosts=?, started=?, ended=?, run=?, cancelled_by=?, result=?, problem=?"
                " WHERE id=?",
                (job.state, json.dumps(job.hosts), job.started, job.ended, job.run, job.cancelled_by,
                 json.dumps(job.result), json.dumps(job.problem), job.id),
            )  # fmt: skip
            if not updated.rowcount:
                return  # it may still turn out to be impossible, and then there was no job
            change.executemany(
                "INSERT INTO job_events VALUES (?,?,?,?)",
                [(job.id, one.number, one.kind, one.data) for one in new if one.kept],
            )
        job.saved += len(new)

    def prune(self) -> None:
        """Let go of the events of old jobs."""
        with self._database.change() as change:
            change.execute(
                "DELETE FROM job_events WHERE job < (SELECT id FROM jobs ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (EVENTS_OF - 1,),
            )

    def get(self, id: str) -> Job | None:
        """A job by its id."""
        row = self._database.row("SELECT * FROM jobs WHERE id = ?", id)
        return _from_row(row) if row is not None else None

    def find(self, wanted: Wanted) -> list[Job]:
        """Jobs that are over, newest first."""
        values = (wanted.before, wanted.cluster, wanted.service, wanted.verb, wanted.state, wanted.who)
        rows = self._database.rows(
            "SELECT * FROM jobs WHERE (?1 = '' OR id < ?1) AND ?2 IN ('', cluster) AND ?3 IN ('', service)"
            " AND ?4 IN ('', verb) AND ?5 IN ('', state) AND ?6 IN ('', who) AND state NOT IN ('queued', 'running')"
            " ORDER BY id DESC LIMIT ?7",
            *values, wanted.limit,
        )  # fmt: skip
        return [_from_row(row) for row in rows]

    def arguments(self, since: float) -> list[str]:
        """What jobs that ended since a moment, or were cut off then, were given, as JSON."""
        query = "SELECT arguments FROM jobs WHERE coalesce(ended, started, created) >= ?"
        return [row["arguments"] for row in self._database.rows(query, since)]

    def events(self, job: Job, after: int, limit: int) -> list[Happening]:
        """Events of a job after one, in their order."""
        query = "SELECT number, kind, data FROM job_events WHERE job = ? AND number > ? ORDER BY number LIMIT ?"
        return [Happening(*row) for row in self._database.rows(query, job.id, after, limit)]

    def by_key(self, who: str, key: str) -> tuple[str, str] | None:
        """The job that somebody asked for with this key, and the fingerprint of what was asked."""
        query = "SELECT job, request FROM job_keys WHERE who = ? AND key = ? AND time >= ?"
        row = self._database.row(query, who, key, time.time() - KEYS_FOR)
        return (row["job"], row["request"]) if row is not None else None


def _from_row(row: sqlite3.Row) -> Job:
    state: State = row["state"] if row["state"] in OVER else "cut off"
    return Job(
        id=row["id"],
        verb=row["verb"],
        cluster=row["cluster"],
        service=row["service"],
        arguments=json.loads(row["arguments"]),
        secrets=tuple(json.loads(row["secrets"])),
        who=row["who"],
        state=state,
        hosts=tuple(json.loads(row["hosts"])),
        created=row["created"],
        started=row["started"],
        ended=row["ended"],
        run=row["run"],
        cancelled_by=row["cancelled_by"],
        result=json.loads(row["result"] or "null"),
        problem=json.loads(row["problem"] or "null"),
    )
