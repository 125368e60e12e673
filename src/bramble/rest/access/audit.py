"""The audit: who did what, from where, and what came of it. It is only ever added to."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..database import Database

#: What a chain of hashes begins with.
_BEGIN = "0" * 64

#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

#: So many are read at once for an export.
_PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that was done, or refused.

    Attributes
    ----------
    number
        Counted from 1, without a gap.
    time
        Seconds since the epoch.
    who
        The user; empty for nobody who is known. On the command line, the user of the machine.
    via
        ``session``, ``token NAME``, ``password`` or ``command line``.
    address
        Where the request came from.
    what
        The verb or route.
    about
        The cluster, service, host, user, token or job. Never a secret.
    result
        The HTTP status and its name; ``done`` on the command line.
    hash
        SHA-256 of this entry and of the hash before it.
    """

    number: int
    time: float
    who: str
    via: str
    address: str
    what: str
    about: str
    result: str
    hash: str

    def to_json(self) -> dict[str, Any]:
        """The entry as JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Whether the audit is as it was written.

    Attributes
    ----------
    entries
        How many there are.
    head
        The hash of the last. Who noted it elsewhere sees whether the end was cut off.
    broken
        Number of the first that is not as it was written; 0 for none.
    """

    entries: int
    head: str
    broken: int = 0


class Audit:
    """The audit of a service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, *, who: str, via: str, what: str, address: str = "", about: str = "", result: str = "done") -> None:
        """Add an entry."""
        with self._database.change() as change:
            # The entry before is read in the same transaction: the command line writes, too.
            change.execute("BEGIN IMMEDIATE")
            last = change.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone()
            number, before = (last["number"] + 1, last["hash"]) if last else (1, _BEGIN)
            values = (number, time.time(), who, via, address, what, about, result)
            change.execute("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?,?)", (*values, _hash(before, values)))

    def all(
        self, *, limit: int = 100, before: int = 0, who: str = "", what: str = "", since: float = 0.0
    ) -> list[Entry]:
        """Entries, newest first.

        Parameters
        ----------
        before
            Those with a smaller number; 0 for all.
        who, what
            Only those of this user, and of this verb or route.
        since
            Not those before this moment.
        """
        rows = self._database.rows(
            "SELECT * FROM audit WHERE (? = 0 OR number < ?) AND (? = '' OR who = ?) AND (? = '' OR what = ?)"
            " AND time >= ? ORDER BY number DESC LIMIT ?",
            before, before, who, who, what, what, since, limit,
        )  # fmt: skip
        return [Entry(**dict(row)) for row in rows]

    def whole(self, **only: Any) -> Iterator[Entry]:
        """All entries, newest first, some at a time; ``only`` as in `all`."""
        before = 0
        while page := self.all(limit=_PAGE, before=before, **only):
            yield from page
            before = page[-1].number

    def check(self) -> Checked:
        """Whether each entry is as it was written, and none between two is missing."""
        before, number = _BEGIN, 0
        while rows := self._database.rows(
            "SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?", number, _PAGE
        ):
            for row in rows:
                *values, hash = row
                if row["number"] != number + 1 or hash != _hash(before, values):
                    return Checked(entries=number, head=before, broken=number + 1)
                number, before = row["number"], hash
        return Checked(entries=number, head=before)


def json_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Entries as JSON, one a line."""
    for entry in entries:
        yield json.dumps(entry.to_json(), ensure_ascii=False) + "\n"


def comma_separated(entries: Iterable[Entry]) -> Iterator[str]:
    """Entries as CSV. What a spreadsheet would take for a formula stands behind a ``'``."""
    yield _line([field.name for field in fields(Entry)])
    for entry in entries:
        yield _line([f"'{value}" if str(value).startswith(_FORMULA) else value for value in asdict(entry).values()])


def _line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _hash(before: str, values: Iterable[object]) -> str:
    return hashlib.sha256(json.dumps([before, *values]).encode()).hexdigest()
