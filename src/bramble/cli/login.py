"""`bramble login` and `bramble logout`: services elsewhere that do for this user what bramble does here."""

from __future__ import annotations

import getpass

import click

from ..errors import BrambleError, Interrupted, UsageError
from . import typed
from .complaint import warn
from .lazy import Command, Option

_server = click.argument("server", metavar="URL", default="")


@click.command(
    cls=Command,
    examples="""
    bramble login https://red:8443
    # without a terminal; both files are only yours to read
    bramble login https://red:8443 --token-file ci.token --ca ca.crt
    bramble login --list
    """,
)
@_server
@click.option("--user", metavar="NAME", cls=Option, help="Who you are there.")
@click.option("--password-file", metavar="FILE", cls=Option, type=click.Path(dir_okay=False), help="Instead of asking.")
@click.option(
    "--token-file", metavar="FILE", cls=Option, type=click.Path(dir_okay=False),
    help="A token that was made there (bramble tokens create), in place of a password.",
)  # fmt: skip
@click.option(
    "--ca", metavar="FILE", cls=Option, type=click.Path(dir_okay=False),
    help="The certificate of its authority, as bramble serve names it.",
)  # fmt: skip
@click.option("--fingerprint", metavar="SHA256", cls=Option, help="Of that certificate, as bramble serve prints it.")
@click.option("--list", "listed", is_flag=True, cls=Option, help="Only tell where you are logged in.")
def login(
    server: str,
    user: str | None,
    password_file: str | None,
    token_file: str | None,
    ca: str | None,
    fingerprint: str | None,
    listed: bool,
) -> int:
    """Log in at a service elsewhere, for bramble --server.

    The first time, it shows the fingerprint of the service's certificate: compare it with what bramble serve printed
    there. What is kept is a token for this machine, not the password. Commands go on to act here, unless --server or
    the variable BRAMBLE_SERVER names the service.
    """
    from ..client import logins, signing_in

    if listed:
        return _list()
    if not server:
        raise UsageError("which service?", hint="bramble login https://red:8443")
    url = logins.address(server)
    before = logins.every().get(url)
    authority = _authority(url, ca, fingerprint, before.authority if before else "")
    if token_file:
        made = signing_in.with_token(url, authority, typed.read("token", token_file))
    else:
        name = user or _ask_name(url, before.user if before else getpass.getuser())
        hint = "--password-file FILE, or --token-file FILE"
        password = typed.read("password", password_file) if password_file else typed.ask("password", f"of {name}", hint)
        made = signing_in.with_password(url, authority, name, password)
    logins.keep(made)
    if before and before.name:
        _end(before)
    lasts = f"; this machine's token lasts {signing_in.LASTS.removesuffix('d')} days" if made.name else ""
    click.echo(f"{made.user} ({made.role}) at {url}{lasts}")
    click.echo(f"commands still act here; to let it act: bramble --server {made.wire.name} status")
    return 0


@click.command(cls=Command, examples="bramble logout https://red:8443")
@_server
def logout(server: str) -> int:
    """Log out at a service elsewhere.

    The token of this machine ends there, and is forgotten here.
    """
    from ..client import logins

    if not server:
        raise UsageError("of which service?", hint="bramble login --list")
    found = logins.find(server)
    if found.name:
        _end(found)
    logins.forget(found)
    click.echo(f"logged out at {found.url}")
    return 0


def _list() -> int:
    from ..client import logins
    from . import tables

    found = logins.every().values()
    if found:
        tables.show(("service", "user", "role"), ((one.url, one.user, one.role) for one in found))
    else:
        tables.say("you are logged in nowhere: bramble login https://red:8443")
    return 0


def _end(login: object) -> None:
    """Let a token end; where its service cannot be asked, say that it stays good."""
    from ..client import Login, signing_in

    assert isinstance(login, Login)
    try:
        signing_in.end(login)
    except BrambleError as error:
        warn(
            f"the token {login.name} stays good at {login.url}: {error.what}",
            f"there: bramble tokens revoke {login.name}",
        )


def _ask_name(url: str, usual: str) -> str:
    from .terminal import interactive

    if not interactive():
        raise UsageError("there is no terminal to ask for your name on", hint="--user NAME, or --token-file FILE")
    name: str = click.prompt(f"your name at {url}", default=usual, err=True)
    return name


def _authority(url: str, file: str | None, said: str | None, known: str) -> str:
    """The certificate to trust at a service, PEM; empty where the system trusts it. Never one that nobody compared."""
    from ..client import signing_in
    from .terminal import interactive

    if file:
        try:
            with open(file, encoding="ascii") as opened:
                authority = opened.read()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{file} cannot be read", why=getattr(error, "strerror", "") or "it is not text") from None
        signing_in.fingerprint(authority)
        return authority
    if not said and signing_in.trusted_already(url):
        return ""
    shown = signing_in.shown_authority(url)
    if said:
        if not signing_in.is_fingerprint(said, shown):
            raise UsageError(
                f"{url} shows another certificate than that", why=f"its SHA-256 is {signing_in.fingerprint(shown)}",
                hint="ask whoever runs the service; somebody may stand between",
            )  # fmt: skip
        return shown
    if shown == known:
        return known
    if known:
        warn(f"{url} had another certificate when you logged in before", "ask whoever runs it whether that is right")
    told = f"{url} is known by a certificate with the SHA-256\n  {signing_in.fingerprint(shown)}"
    if not interactive():
        raise UsageError(
            f"{told}\nand nobody is here to compare it", hint="--ca FILE, or --fingerprint as bramble serve printed it"
        )
    click.echo(told, err=True)
    if not click.confirm("Is that what bramble serve printed?", err=True):
        raise Interrupted("not confirmed; nothing was sent")
    return shown
