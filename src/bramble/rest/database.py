"""The service's database: SQLite in its own folder, for its own user alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BrambleError

#: Raised when the tables change; `PRAGMA user_version` says which a file has.
VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, verb TEXT NOT NULL, cluster TEXT NOT NULL, service TEXT NOT NULL, arguments TEXT NOT NULL,
    secrets TEXT NOT NULL, who TEXT NOT NULL, state TEXT NOT NULL, hosts TEXT NOT NULL, created REAL NOT NULL,
    started REAL, ended REAL, run TEXT NOT NULL, cancelled_by TEXT NOT NULL DEFAULT '', result TEXT, problem TEXT
);
CREATE TABLE IF NOT EXISTS job_events (
    job TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE, number INTEGER NOT NULL, kind TEXT NOT NULL,
    data TEXT NOT NULL, PRIMARY KEY (job, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job_keys (
    who TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, job TEXT NOT NULL, time REAL NOT NULL,
    PRIMARY KEY (who, key)
);
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY, owner TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE, hash TEXT NOT NULL UNIQUE,
    scope TEXT NOT NULL, created REAL NOT NULL, expires REAL, used REAL
);
CREATE TABLE IF NOT EXISTS sessions (
    hash TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users(name) ON DELETE CASCADE, created REAL NOT NULL,
    used REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY, time REAL NOT NULL, who TEXT NOT NULL, via TEXT NOT NULL,
    address TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL, result TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER IF NOT EXISTS audit_is_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
"""


class Database:
    """One connection to the file, made at once; it belongs to the thread that made it.

    Raises
    ------
    BrambleError
        The file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._translated():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(path, timeout=10)
            self._connection.row_factory = sqlite3.Row
            # WAL with NORMAL: no wait for the disk at each event of a run; after a loss of power the last may be gone.
            self._connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
            )
            if self._connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                self._connection.executescript(_TABLES + f"PRAGMA user_version = {VERSION};")

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is done in it, or nothing."""
        with self._translated(), self._connection:
            yield self._connection

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """What a query finds."""
        with self._translated():
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        """The first row that a query finds."""
        with self._translated():
            found: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
            return found

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as error:
            if isinstance(error, sqlite3.IntegrityError):
                raise
            raise BrambleError(f"{self.path} cannot be used", why=str(error)) from None
