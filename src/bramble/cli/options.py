"""Options that many commands share: which hosts and how they are reached, and how a run is shown."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import UsageError
from . import complete
from .lazy import Option

if TYPE_CHECKING:
    from ..api import Reach
    from ..runner.secret import Secret

F = TypeVar("F", bound=Callable[..., Any])

#: The sudo password, for those who cannot type it: CI, cron.
PASSWORD = "BRAMBLE_SUDO_PASSWORD"  # noqa: S105  (its name, not its value)

_REACH = "Which hosts, and how they are reached"
_OUTPUT = "Output"

#: Options that stand for a field of `Reach` of the same name.
_PLAIN = ("hosts", "manager", "user", "port", "key", "jump", "accept_new", "connect_timeout", "connections")


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What the shared options said: the fields of `Reach` that were given, and the clusters."""

    given: dict[str, Any]
    clusters: tuple[str, ...]

    @property
    def each(self) -> list[Reach]:
        """One `Reach` for each cluster, in the order of the command line; one alone where no cluster was named."""
        names = [name.strip() for text in self.clusters for name in text.split(",")]
        found: list[Any] = [{**self.given, "cluster": name} for name in dict.fromkeys(names) if name]
        return found or [self.given]

    @property
    def one(self) -> Reach:
        """The only `Reach`, for commands that take one cluster."""
        return self.each[0]


def _option(*names: str, section: str = _REACH, **attrs: Any) -> Callable[[F], F]:
    return click.option(*names, cls=Option, section=section, **attrs)


def reach(*, several: bool = True, sudo: bool = True) -> Callable[[F], F]:
    """Add the options that choose and reach hosts; the command gets them as one ``reached: Reached``.

    Parameters
    ----------
    several
        Whether more than one ``--cluster`` makes sense.
    sudo
        Whether the command may need a sudo password.
    """
    options = [
        _option("--hosts", metavar="EXPR", shell_complete=complete.hosts,
                help="Which hosts: red,red[01-02]; @GROUP of the cluster file; - reads them from standard input."),
        _option("--cluster", "clusters", metavar="NAME", multiple=True, shell_complete=complete.clusters,
                help="A cluster that has a file (bramble hosts list)."
                + (" May be given more than once: all at the same time." if several else "")),
        _option("--manager", metavar="HOST", shell_complete=complete.hosts,
                help="The host that manages the others; else the one whose name has no digit, else the first."),
        _option("--user", metavar="NAME", help="Log in as this user."),
        _option("--port", type=click.IntRange(1, 65535), metavar="NUMBER", help="The port of sshd."),
        _option("--key", type=click.Path(dir_okay=False), metavar="FILE", help="The private key to log in with."),
        _option("--jump", metavar="USER@HOST", help="Go through this host."),
        _option("--accept-new", is_flag=True,
                help="Accept the keys of hosts never seen before. Changed keys are refused all the same."),
        *(_SUDO if sudo else ()),
        _option("--connect-timeout", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
                help="How long a host may take to answer (10)."),
        _option("--connections", type=click.IntRange(1), metavar="NUMBER",
                help="How many connections are made at the same moment (32)."),
    ]  # fmt: skip

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def with_reach(*args: Any, **kwargs: Any) -> Any:
            values = {name: kwargs.pop(name) for name in _PLAIN}
            given = {name: value for name, value in values.items() if value is not None and value is not False}
            clusters = kwargs.pop("clusters")
            if given.get("hosts") == "-":
                from ..model import HostSet

                given["hosts"] = str(HostSet.from_lines(sys.stdin))
            if sudo:
                password = _password(kwargs.pop("ask_sudo_password"), kwargs.pop("sudo_password_file"))
                given |= {"sudo_password": password} if password else {}
            reached = Reached(given=given, clusters=clusters)
            if len(reached.each) > 1 and not several:
                raise UsageError("this command takes one --cluster")
            return command(*args, reached=reached, **kwargs)

        return functools.reduce(lambda decorated, add: add(decorated), reversed(options), with_reach)  # type: ignore[return-value]

    return decorate


_SUDO = (
    _option("--ask-sudo-password", is_flag=True, help="Ask once for the password that sudo wants on the hosts."),
    _option("--sudo-password-file", type=click.Path(dir_okay=False), metavar="FILE",
            help=f"Take the sudo password from a file. The variable {PASSWORD} does as well."),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Output:
    """How a run is shown."""

    json: bool = False
    diff: bool = False
    verbose: bool = False


def output(*, diff: bool = False) -> Callable[[F], F]:
    """Add the options that choose how a run is shown; the command gets them as one ``output: Output``."""
    options = [json_option("Write events as JSON, one a line, to standard output.")]
    if diff:
        options.insert(0, _option("--diff", is_flag=True, section=_OUTPUT, help="Show what changes inside files."))
    options.append(_option("-v", "--verbose", is_flag=True, section=_OUTPUT, help="Show every step as it is done."))

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def with_output(*args: Any, **kwargs: Any) -> Any:
            chosen = Output(json=kwargs.pop("as_json"), diff=kwargs.pop("diff", False), verbose=kwargs.pop("verbose"))
            return command(*args, output=chosen, **kwargs)

        return functools.reduce(lambda decorated, add: add(decorated), reversed(options), with_output)  # type: ignore[return-value]

    return decorate


def json_option(text: str = "Write JSON, one object a line, to standard output.") -> Callable[[F], F]:
    """``--json``, as ``as_json``."""
    return _option("--json", "as_json", is_flag=True, section=_OUTPUT, help=text)


def settings_option() -> Callable[[F], F]:
    """``--set``, as ``settings: dict[str, str]``."""
    return _option(
        "--set", "settings", metavar="NAME=VALUE", multiple=True, callback=_settings, section="Options",
        shell_complete=complete.settings, help="An option of the service; may be given more than once.",
    )  # fmt: skip


def dry_run_option() -> Callable[[F], F]:
    """``--dry-run``."""
    return _option("--dry-run", is_flag=True, section="Options", help="Tell what would change, and change nothing.")


def yes_option() -> Callable[[F], F]:
    """``--yes``."""
    return _option("-y", "--yes", is_flag=True, section="Options", help="Do not ask.")


def _settings(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """``--set name=value``, as often as wanted."""
    chosen = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE")
        chosen[name.strip()] = value
    return chosen


def with_standard_input(service: str, settings: dict[str, str]) -> dict[str, object]:
    """The same settings; a file with a secret that is called ``-`` is what comes from standard input."""
    from .. import services
    from ..runner.secret import Secret

    chosen: dict[str, object] = dict(settings)
    if "-" in settings.values():
        for own in services.get(service).own_files:
            if settings.get(own.option) == "-":
                chosen[own.option] = Secret(own.secret.name, size=0, value=sys.stdin.buffer.read())
    return chosen


def _password(ask: bool, file: str | None) -> Secret | None:
    """The sudo password from the terminal, a file or the environment; never from the command line."""
    # Taken out of the environment all the same: no program that is started from here needs it.
    value = os.environ.pop(PASSWORD, "")
    if ask or file:
        from . import typed

        hint = f"--sudo-password-file FILE, or set {PASSWORD}"
        value = typed.ask("sudo password", "on the hosts", hint) if ask else typed.read("sudo password", str(file))
    if not value:
        return None
    from ..runner.secret import Secret

    return Secret("sudo password", value=value.encode())
