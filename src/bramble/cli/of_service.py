"""What the commands about the service itself share: they work on its files, also while it runs.

Users, tokens and the audit are no verbs of `bramble.api`: they are about who may ask a service for those verbs.
"""

from __future__ import annotations

import getpass
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import NotThere, UsageError

if TYPE_CHECKING:
    from ..rest.database import Database


@contextmanager
def opened(*, make: bool = False) -> Iterator[Database]:
    """The database of this user's service.

    Parameters
    ----------
    make
        Whether it is made where there is none.

    Raises
    ------
    NotThere
        There is none.
    UsageError
        It is another user's, or what the service needs is not installed.
    """
    from .. import inventory

    try:
        from ..rest.database import Database
    except ModuleNotFoundError as missing:
        raise UsageError(
            "what the service needs is not installed", why=str(missing), hint="pip install 'pi-bramble[serve]'"
        ) from None
    file = inventory.folders.service() / "service.sqlite"
    if file.exists():
        owner = pwd.getpwuid(file.stat().st_uid).pw_name
        if owner != getpass.getuser():
            # Files that root makes beside it would keep the service from its own database.
            raise UsageError(f"the service in {file.parent} is {owner}'s", hint=f"sudo -u {owner} bramble …")
    elif not make:
        raise NotThere(f"there is no service in {file.parent} yet", hint="bramble serve")
    database = Database(file)
    try:
        yield database
    finally:
        database.close()


def note(database: Database, what: str, about: str) -> None:
    """Write into the audit what was done here."""
    from ..rest.access.audit import Audit

    Audit(database).note(who=getpass.getuser(), via="command line", what=what, about=about)
