"""`bramble tokens`: by which programs use the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

# It needs nothing that may not be installed, and loads nothing else.
from ..rest.access.roles import SCOPES
from . import options
from .lazy import Command, Entry, LazyGroup, Option

if TYPE_CHECKING:
    from ..rest.database import Database

_SECTION = "Commands"

tokens = LazyGroup(
    "tokens",
    help="Make, list and revoke tokens for programs.\n\nWithout a command: the list.",
    entries={
        "list": Entry("tokens:list_tokens", _SECTION, "List the tokens of the service, and when each was used last."),
        "create": Entry("tokens:create", _SECTION, "Make a token, and show it this once."),
        "revoke": Entry("tokens:revoke", _SECTION, "Take a token away."),
    },
    default="list",
)


@click.command(
    "list",
    cls=Command,
    examples="""
    bramble tokens
    bramble tokens list --json
    """,
)
@options.json_option()
def list_tokens(as_json: bool) -> int:
    """List the tokens of the service, and when each was used last."""
    import dataclasses
    import time

    from . import tables
    from .jsonlines import write_json
    from .of_service import opened

    with opened() as database:
        from ..rest.access.tokens import Tokens

        found = Tokens(database).all()
    if as_json:
        for token in found:
            write_json(dataclasses.asdict(token))
    elif found:
        now = time.time()
        tables.show(
            ("token", "owner", "scope", "made", "ends", "last used"),
            (
                (
                    token.name,
                    token.owner,
                    token.scope,
                    tables.when(token.created),
                    "never" if not token.expires else "over" if token.expires <= now else tables.when(token.expires),
                    tables.when(token.used or 0) or "never",
                )
                for token in found
            ),
        )
    else:
        tables.say("there are no tokens yet: bramble tokens create NAME --scope deploy")
    return 0


@click.command(
    "create",
    cls=Command,
    examples="""
    bramble tokens create ci --scope deploy --expires 30d
    # into a file that others cannot read
    (umask 077; bramble tokens create laptop --scope read --owner maria > laptop.token)
    """,
)
@click.argument("name", metavar="NAME")
@click.option(
    "--scope", type=click.Choice(tuple(SCOPES)), default="read", cls=Option,
    help="What it is good for: read (the usual), deploy, admin; ingest hands in readings.",
)  # fmt: skip
@click.option(
    "--expires", metavar="SPAN", default="90d", cls=Option, help="When it ends: 30d, 12h, 1y, or never (90d)."
)
@click.option("--owner", metavar="USER", cls=Option, help="For whom it acts (you; else the first admin).")
def create(name: str, scope: str, expires: str, owner: str | None) -> int:
    """Make a token, and show it this once.

    Only the token goes to standard output. It may do what its owner may, as far as its scope goes.
    """
    from .of_service import note, opened

    with opened() as database:
        from ..rest.access.moments import lifetime
        from ..rest.access.tokens import Tokens

        seconds = lifetime(expires)
        whose = owner or _owner(database)
        made = Tokens(database).create(name, owner=whose, scope=scope, seconds=seconds)
        note(database, "tokens_create", f"name {name}, scope {scope}, expires {expires}, owner {whose}")
    click.echo(
        f"token {name} for {whose}, scope {scope}, " + (f"ends in {expires}" if seconds else "never ends"), err=True
    )
    click.echo("it is not kept, and not shown again:", err=True)
    click.echo(made)
    return 0


@click.command(
    "revoke",
    cls=Command,
    examples="""
    bramble tokens revoke ci
    """,
)
@click.argument("name", metavar="NAME")
def revoke(name: str) -> int:
    """Take a token away."""
    from .of_service import note, opened

    with opened() as database:
        from ..rest.access.tokens import Tokens

        Tokens(database).revoke(name)
        note(database, "tokens_revoke", f"name {name}")
    click.echo(f"the token {name} is good for nothing any more")
    return 0


def _owner(database: Database) -> str:
    """Who works here, if the service knows them; else the admin who was there first."""
    import getpass

    from ..errors import UsageError
    from ..rest.access.users import Users

    users = Users(database).all()
    here = getpass.getuser()
    if any(user.name == here for user in users):
        return here
    admins = sorted((user for user in users if user.role == "admin"), key=lambda user: user.created)
    if not admins:
        raise UsageError("there is no admin yet", hint="bramble users add NAME --role admin")
    return admins[0].name
