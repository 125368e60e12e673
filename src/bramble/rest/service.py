"""What the routes of a service share: what it keeps, and who has tried how often."""

from __future__ import annotations

from pathlib import Path

from .access.audit import Audit
from .access.sessions import Sessions
from .access.throttle import Throttle
from .access.tokens import Tokens
from .access.users import Users
from .answers import Answers
from .database import Database
from .files import Files
from .jobs import Jobs


class Service:
    """What the routes share.

    Parameters
    ----------
    folder
        Where it keeps everything.

    Attributes
    ----------
    names
        Names and addresses it answers to; empty for any.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(folder / "service.sqlite")
        self.jobs = Jobs(self.database)
        self.users = Users(self.database)
        self.sessions = Sessions(self.database)
        self.answers = Answers()
        self.files = Files(folder / "files")
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
