"""What the routes of a service share: what it keeps, and who has tried how often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .access.audit import Audit
from .access.sessions import Sessions
from .access.throttle import Throttle
from .access.tokens import Tokens
from .access.users import Users
from .answers import Answers
from .database import Database
from .files import LARGEST, Files
from .jobs import Jobs
from .jobs.jobs import AT_ONCE


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a service takes on.

    Attributes
    ----------
    jobs
        So many are at work at the same time; others wait.
    largest_file
        Bytes that one file of a caller may have, and all that is in one folder.
    """

    jobs: int = AT_ONCE
    largest_file: int = LARGEST


class Service:
    """What the routes share.

    Parameters
    ----------
    folder
        Where it keeps everything.
    limits
        How much it takes on.

    Attributes
    ----------
    names
        Names and addresses it answers to; empty for any.
    """

    def __init__(self, folder: Path, limits: Limits = Limits()) -> None:
        self.folder = folder
        self.database = Database(folder / "service.sqlite")
        self.jobs = Jobs(self.database, at_once=limits.jobs)
        self.users = Users(self.database)
        self.sessions = Sessions(self.database)
        self.answers = Answers()
        self.files = Files(folder / "files", largest=limits.largest_file)
        self.tokens = Tokens(self.database)
        self.audit = Audit(self.database)
        # A user waits a minute at most, else a stranger could lock them out; a class may share one address.
        self.tries_as = Throttle(free=5, longest=60)
        self.tries_from = Throttle(free=20, longest=900)
        self.guesses = Throttle(free=20, longest=60)
        self.names: tuple[str, ...] = ()

    async def close(self) -> None:
        """End cleanly."""
        await self.jobs.close()
        self.answers.close()
        self.database.close()
