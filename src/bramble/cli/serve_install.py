"""`bramble serve --install`: the service as one of this machine's, with a user of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..errors import UsageError
from .terminal import confirm, interactive


def install(
    words: Sequence[str],
    urls: Sequence[str],
    port: int,
    *,
    files: Sequence[Path],
    admin: str,
    password_file: str,
    clusters: bool,
    yes: bool,
) -> int:
    """Install, or bring an installed service to what is asked for now; ``files`` are those that it is to read."""
    from ..rest import install as unit
    from ..rest import tls
    from ..rest.access.users import check_new
    from . import typed

    unit.check()
    unit.check_program()
    if not (admin or interactive() or unit.SERVICE.exists()):
        hint = "add --admin NAME --password-file FILE"
        raise UsageError("nobody could log in: there is no terminal to ask for the first admin on", hint=hint)
    confirm(f"Make the user {unit.USER}, {unit.HOME} and {unit.UNIT}, and start the service?", yes=yes)
    public = unit.prepare()
    unit.check_readable(*files)
    known = unit.users()
    if "admin" not in known.values():
        name = admin or click.prompt("name of the first admin", err=True)
        check_new(name, known)
        given = password_file and typed.read("password", password_file)
        unit.add_admin(name, given or typed.ask_new("password", f"of {name}", "--password-file FILE"))
    if clusters:
        copied, stayed = unit.copy_clusters()
        click.echo(f"copied: {', '.join(copied) or 'nothing'}", err=True)
        if stayed:
            click.echo(f"there already, and left alone: {', '.join(stayed)}", err=True)
    changed = unit.start(words, port)
    for url in urls:
        click.echo(url)
    authority = unit.SERVICE / "tls/ca.crt"
    if authority.exists() and "--certificate" not in words:
        click.echo(f"certificate of the authority: {urls[0]}ca.pem, or {authority}")
        click.echo(f"  SHA-256 {tls.fingerprint(authority)}")
    click.echo("hosts let the service in by its key: add this line to ~/.ssh/authorized_keys on each")
    click.echo(f"  {public}")
    if not changed:
        click.echo("it ran like this already; nothing was changed", err=True)
    program = Path(sys.executable).with_name("bramble")
    click.echo(f"its users, tokens and audit: sudo -u {unit.USER} {program} users", err=True)
    return 0


def uninstall(*, purge: bool, yes: bool) -> int:
    """Take the service off this machine."""
    from ..rest import install as unit

    unit.check()
    what = "the service, its user and all that it keeps: users, tokens, jobs, audit, clusters, keys"
    confirm(f"Take away {what if purge else 'the service and its user'}?", yes=yes, needed=purge)
    if not unit.uninstall(purge=purge):
        click.echo("there was no service")
    elif purge or not unit.HOME.exists():
        click.echo("the service is gone, with all that it kept")
    else:
        click.echo(f"the service is gone; what it kept stays in {unit.HOME}, for root alone (--purge)")
    return 0
