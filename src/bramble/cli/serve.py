"""`bramble serve`: the same verbs as a REST service, with a web page."""

from __future__ import annotations

import asyncio
import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import BrambleError, UsageError
from . import options
from .lazy import Command, Option

if TYPE_CHECKING:
    from ..rest.serve import Server
    from ..rest.service import Service

_WHERE, _FIRST, _CERTIFICATE, _LIMITS = "Where", "At the first start", "Certificate", "Limits"
_MACHINE = "As a service of this machine"


@click.command(
    cls=Command,
    examples="""
    bramble serve
    # also for the other machines of the network
    bramble serve --address 0.0.0.0
    # from each start of this machine on, as a user of its own
    sudo bramble serve --install --address 0.0.0.0
    # by a name of one's own, with a certificate of one's own
    bramble serve --address 0.0.0.0 --certificate red.pem --key red.key
    # on a small Pi
    bramble serve --jobs 2 --largest-file 2G
    """,
)
@click.option(
    "--address", metavar="ADDRESS", default="127.0.0.1", cls=Option, section=_WHERE,
    help="What to listen on: this machine alone (127.0.0.1), or 0.0.0.0 for its whole network.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="NUMBER", default=8443, cls=Option, section=_WHERE,
    help="The port (8443); 0 takes a free one.",
)  # fmt: skip
@click.option(
    "--name", "names", metavar="NAME", multiple=True, cls=Option, section=_WHERE,
    help="By what else this machine is called: a name or an address. Can be given more than once.",
)  # fmt: skip
@click.option(
    "--admin", metavar="NAME", default="", cls=Option, section=_FIRST,
    help="Name of the first admin; else it is asked for.",
)  # fmt: skip
@click.option(
    "--password-file", metavar="FILE", default="", cls=Option, section=_FIRST,
    help="Their password, on one line of a file; else it is asked for.",
)  # fmt: skip
@click.option(
    "--certificate", metavar="FILE", type=click.Path(path_type=Path), cls=Option, section=_CERTIFICATE,
    help="A certificate of your own, PEM, with those between it and its authority.",
)  # fmt: skip
@click.option(
    "--key", metavar="FILE", type=click.Path(path_type=Path), cls=Option, section=_CERTIFICATE,
    help="Its private key.",
)  # fmt: skip
@click.option(
    "--new-authority", is_flag=True, cls=Option, section=_CERTIFICATE,
    help="Make another certificate authority, and end. Whoever trusted the old one has to trust the new one.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1, 1000), metavar="NUMBER", default=8, cls=Option, section=_LIMITS,
    help="How many jobs are at work at the same time; others wait (8).",
)  # fmt: skip
@click.option(
    "--largest-file", metavar="SIZE", default="16G", cls=Option, section=_LIMITS,
    help="How large a file may be that somebody hands in, or all that is in a folder: 500M, 8G (16G).",
)  # fmt: skip
@click.option(
    "--install", is_flag=True, cls=Option, section=_MACHINE,
    help="Have systemd run it, now and at each start of this machine, as a user of its own. Needs root.",
)  # fmt: skip
@click.option(
    "--copy-clusters", is_flag=True, cls=Option, section=_MACHINE,
    help="Copy your cluster files, known host keys and secrets for it.",
)  # fmt: skip
@click.option(
    "--uninstall", is_flag=True, cls=Option, section=_MACHINE,
    help="Take that back; what the service kept stays.",
)  # fmt: skip
@click.option(
    "--purge", is_flag=True, cls=Option, section=_MACHINE,
    help="With --uninstall: take away what it kept, too.",
)  # fmt: skip
@options.yes_option()
def serve(
    address: str,
    port: int,
    names: tuple[str, ...],
    admin: str,
    password_file: str,
    certificate: Path | None,
    key: Path | None,
    new_authority: bool,
    jobs: int,
    largest_file: str,
    install: bool,
    copy_clusters: bool,
    uninstall: bool,
    purge: bool,
    yes: bool,
) -> int:
    """Serve all this to browsers and programs, over TLS.

    It runs until Ctrl-C. The first start makes a certificate authority for this machine alone, and asks for the first
    admin.
    """
    if (certificate is None) != (key is None):
        raise UsageError("a certificate of your own comes with its key", hint="--certificate FILE --key FILE")
    if (copy_clusters and not install) or (purge and not uninstall) or (install and uninstall):
        hint = "bramble serve --install --copy-clusters; bramble serve --uninstall --purge"
        raise UsageError("--copy-clusters belongs to --install, and --purge to --uninstall", hint=hint)
    from .. import inventory
    from . import serve_install

    try:
        from ..rest import names as called
        from ..rest import serve as service
        from ..rest import sizes, tls
        from ..rest.service import Limits
    except ImportError as error:
        why = f"{error.name} is not installed"
        raise BrambleError("the service needs more", why=why, hint="pip install 'pi-bramble[serve]'") from None
    limits = Limits(jobs=jobs, largest_file=sizes.read(largest_file))
    if uninstall:
        return serve_install.uninstall(purge=purge, yes=yes)
    if install:
        words = ["--address", address, "--port", str(port), "--jobs", str(jobs), "--largest-file", largest_file]
        words += [word for name in names for word in ("--name", called.checked(name))]
        if certificate is not None and key is not None:
            words += ["--certificate", str(certificate.absolute()), "--key", str(key.absolute())]
        urls = service.urls(called.here(address, names), address, port, here=certificate is None)
        files = [path.absolute() for path in (certificate, key) if path is not None]
        return serve_install.install(
            words, urls, port, files=files, admin=admin, password_file=password_file, clusters=copy_clusters, yes=yes
        )
    folder = inventory.folders.service()
    if new_authority:
        held = service.alone(folder)
        tls.of_machine(folder / "tls", address, names, anew=True)
        os.close(held)
        _tell_authority(folder / "tls" / "ca.crt")
        return 0

    def identity() -> tls.Identity:
        if certificate is not None and key is not None:
            return tls.brought(certificate, key, called.here(address, names))
        return tls.of_machine(folder / "tls", address, names)

    if key is not None:
        _warn_of_readers(key)
    made = service.Server(folder, identity, address=address, port=port, say=_say, limits=limits)
    try:
        _first_admin(made.service, admin, password_file)
        made.until_end(lambda: _tell(made))
    finally:
        made.close()
    return 0


def _first_admin(service: Service, name: str, password_file: str) -> None:
    """Let somebody in who can let in others."""
    if any(user.role == "admin" for user in service.users.all()):
        return
    from . import typed
    from .terminal import interactive

    if not name:
        if not interactive():
            raise UsageError(
                "nobody could log in: there is no admin yet, and no terminal to ask for one on",
                hint="bramble serve --admin NAME --password-file FILE; or bramble users add NAME --role admin",
            )
        click.echo("The first start: who is to be the first admin of the service?", err=True)
        name = click.prompt("name", default=getpass.getuser(), err=True)
    service.users.check_new(name)
    given = password_file and typed.read("password", password_file)
    password = given or typed.ask_new("password", f"of {name}", "--password-file FILE")
    asyncio.run(service.users.add(name, role="admin", password=password))
    service.audit.note(who=getpass.getuser(), via="bramble serve", what="users_add", about=name)
    click.echo(f"{name} is an admin of the service", err=True)


def _tell(made: Server) -> None:
    for url in made.urls:
        click.echo(url)
    authority = made.credentials.identity.authority
    if authority is not None:
        _tell_authority(authority)
        click.echo(f"  curl --cacert {_short(authority)} {made.urls[0]}api/v1/clusters")
        click.echo(f"  browsers: {made.urls[0]}ca.pem, compare the fingerprint, then import it as an authority")


def _tell_authority(certificate: Path) -> None:
    from ..rest import tls

    click.echo(f"certificate of the authority: {_short(certificate)}")
    click.echo(f"  SHA-256 {tls.fingerprint(certificate)}")


def _short(path: Path) -> str:
    return str(path).replace(os.path.expanduser("~/"), "~/", 1)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _warn_of_readers(key: Path) -> None:
    from .complaint import warn

    if key.is_file() and key.stat().st_mode & 0o077:
        warn(f"others can read {key}", f"chmod 600 {key}")
