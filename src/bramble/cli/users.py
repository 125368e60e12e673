"""`bramble users`: who may log in to the service, and what they may do there."""

from __future__ import annotations

import asyncio

import click

# It needs nothing that may not be installed, and loads nothing else.
from ..rest.access.roles import ROLES, scope_of
from . import options
from .lazy import Command, Entry, LazyGroup, Option

_SECTION = "Commands"

_USUAL = "viewer"

_WHAT = "; ".join(f"{role} {does}{' (the usual)' if role == _USUAL else ''}" for role, does in ROLES.items())

users = LazyGroup(
    "users",
    help="Say who may use the service, and what they may do.\n\nWithout a command: the list.",
    entries={
        "list": Entry("users:list_users", _SECTION, "List the users of the service."),
        "add": Entry("users:add", _SECTION, "Add a user, who may then log in."),
        "role": Entry("users:role", _SECTION, "Give a user another role."),
        "password": Entry("users:password", _SECTION, "Give a user another password."),
        "remove": Entry("users:remove", _SECTION, "Take a user away, with all tokens and sessions."),
    },
    default="list",
)


@click.command(
    "list",
    cls=Command,
    examples="""
    bramble users
    bramble users list --json
    """,
)
@options.json_option()
def list_users(as_json: bool) -> int:
    """List the users of the service."""
    import dataclasses

    from . import tables
    from .jsonlines import write_json
    from .of_service import opened

    with opened() as database:
        from ..rest.access.users import Users

        found = Users(database).all()
    if as_json:
        for user in found:
            write_json(dataclasses.asdict(user))
    elif found:
        tables.show(("user", "role", "since"), ((user.name, user.role, tables.when(user.created)) for user in found))
    else:
        tables.say("there are no users yet: bramble users add NAME --role admin")
    return 0


@click.command(
    "add",
    cls=Command,
    examples="""
    bramble users add maria --role operator
    bramble users add ci --role operator --password-file ci.password
    """,
)
@click.argument("name", metavar="NAME")
@click.option(
    "--role", type=click.Choice(tuple(ROLES)), default=_USUAL, cls=Option, help=f"{_WHAT}.",
)  # fmt: skip
@click.option("--password-file", metavar="FILE", cls=Option, help="Take the password from a file, instead of asking.")
def add(name: str, role: str, password_file: str | None) -> int:
    """Add a user, who may then log in.

    The password is asked for twice. It has at least 10 characters.
    """
    from .of_service import note, opened

    with opened(make=True) as database:
        from ..rest.access.users import Users

        known = Users(database)
        known.check_new(name)
        made = asyncio.run(known.add(name, role=role, password=_password(name, password_file)))
        note(database, "users_add", f"name {name}, role {role}")
    click.echo(f"{name} may log in as {role}")
    words = f"--owner {name} --scope {scope_of(made.role)}"
    click.echo(f"a token for a program of theirs: bramble tokens create NAME {words}", err=True)
    return 0


@click.command(
    "role",
    cls=Command,
    examples="""
    bramble users role maria admin
    """,
)
@click.argument("name", metavar="NAME")
@click.argument("role", type=click.Choice(tuple(ROLES)), metavar="ROLE")
def role(name: str, role: str) -> int:
    """Give a user another role.

    ROLE is viewer, operator, admin or device. Their sessions end; their tokens may do no more than the new role.
    """
    from .of_service import note, opened

    with opened() as database:
        from ..rest.access.users import Users

        Users(database).set_role(name, role)
        note(database, "users_change", f"name {name}, role {role}")
    click.echo(f"{name} is {role} from now on, and has to log in again")
    return 0


@click.command(
    "password",
    cls=Command,
    examples="""
    bramble users password maria
    """,
)
@click.argument("name", metavar="NAME")
@click.option("--password-file", metavar="FILE", cls=Option, help="Take the password from a file, instead of asking.")
def password(name: str, password_file: str | None) -> int:
    """Give a user another password.

    Their sessions end; their tokens stay (bramble tokens revoke).
    """
    from .of_service import note, opened

    with opened() as database:
        from ..rest.access.users import Users

        known = Users(database)
        known.get(name)
        asyncio.run(known.set_password(name, _password(name, password_file)))
        note(database, "users_change", f"name {name}, password")
    click.echo(f"{name} has another password from now on, and has to log in again")
    return 0


@click.command(
    "remove",
    cls=Command,
    examples="""
    bramble users remove maria
    bramble users remove maria --yes
    """,
)
@click.argument("name", metavar="NAME")
@options.yes_option()
def remove(name: str, yes: bool) -> int:
    """Take a user away, with all tokens and sessions."""
    from .of_service import note, opened
    from .terminal import confirm

    with opened() as database:
        from ..rest.access.tokens import Tokens
        from ..rest.access.users import Users

        known = Users(database)
        known.get(name)
        tokens = [token.name for token in Tokens(database).all(name)]
        besides = f", and the tokens {', '.join(tokens)}" if tokens else ""
        confirm(f"take away {name}{besides}?", yes=yes, needed=True)
        known.remove(name)
        note(database, "users_remove", f"name {name}")
    click.echo(f"{name} is gone{besides}")
    return 0


def _password(name: str, file: str | None) -> str:
    from . import typed

    if file:
        return typed.read("password", file)
    return typed.ask_new("password", f"of {name}", "--password-file FILE")
