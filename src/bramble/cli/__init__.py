"""The command line: a thin skin over `bramble.api`, one file for each group of verbs.

Nothing here imports more than click: what a command needs is imported when it runs.
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from ..errors import UsageError
from .complaint import ReaderGone, guarded
from .door import VARIABLE
from .lazy import Entry, LazyGroup, Option

_SERVICES, _HOSTS, _BOARDS, _AROUND = "Services", "Hosts", "Boards", "Around it"


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from .. import __version__

        click.echo(f"bramble {__version__}")
        context.exit()


#: Commands that a service cannot carry out for others, because they are about this machine.
_HERE = {"audit", "completion", "lab", "login", "logout", "serve", "shell", "tokens", "users"}


class _Bramble(LazyGroup):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        typed = ctx.get_parameter_source("server") is click.core.ParameterSource.COMMANDLINE
        if typed and args[0] in _HERE and not ctx.resilient_parsing:
            raise UsageError(f"bramble {args[0]} is about the machine it runs on", hint="take --server away")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None


bramble = _Bramble(
    "bramble",
    help="""Turn a box of Raspberry Pis into working clusters, one line each.

    \b
      bramble deploy slurm --hosts "red,red[01-02]"
      bramble verify slurm
      bramble status""",
    entries={
        "prepare": Entry("prepare:prepare", _SERVICES, "Prepare hosts: names, time, swap, radios, kernel, packages."),
        "deploy": Entry("deploy:deploy", _SERVICES, "Bring services up on hosts, and prove that they work."),
        "verify": Entry("deploy:verify", _SERVICES, "Prove by real work that services work."),
        "status": Entry("deploy:status", _SERVICES, "Tell what is deployed where, and whether it is in order."),
        "scale": Entry("deploy:scale", _SERVICES, "Add hosts to a service, or take hosts out of it."),
        "upgrade": Entry("upgrade:upgrade", _SERVICES, "Bring a service to a later version."),
        "backup": Entry("backup:backup", _SERVICES, "Keep what a service knows in a file."),
        "restore": Entry("backup:restore", _SERVICES, "Bring a service back to what it knew when a backup was made."),
        "remove": Entry("deploy:remove", _SERVICES, "Take a service off, and leave each host as it was found."),
        "services": Entry("services:services", _SERVICES, "List the services, or the options of one."),
        "images": Entry("images:images", _SERVICES, "Bring images of your own to hosts, without a registry."),
        "cards": Entry("cards:cards", _HOSTS, "Burn SD cards for a whole cluster."),
        "hosts": Entry("hosts:hosts", _HOSTS, "Find, check, trust, list and expand hosts."),
        "run": Entry("run:run", _HOSTS, "Run one command on all hosts at once."),
        "shell": Entry("shell:shell", _HOSTS, "Open a terminal on hosts; what is typed goes to all of them."),
        "copy": Entry("files:copy", _HOSTS, "Copy files and folders to all hosts at once."),
        "fetch": Entry("files:fetch", _HOSTS, "Fetch files and folders from all hosts at once."),
        "led": Entry("led:led", _BOARDS, "Let a light of a board blink, to find it by."),
        "temperature": Entry("readings:temperature", _BOARDS, "Tell how warm each board is, and how fast it runs."),
        "load": Entry("readings:load", _BOARDS, "Tell how busy each host is."),
        "throttled": Entry("readings:throttled", _BOARDS, "Tell whether boards lack power, or are too hot."),
        "reboot": Entry("power:reboot", _BOARDS, "Restart hosts, and wait until each is back."),
        "poweroff": Entry("power:poweroff", _BOARDS, "Switch hosts off, and wait until they no longer answer."),
        "wake": Entry("power:wake", _BOARDS, "Tell which hosts are on, and how to wake the others."),
        "artifacts": Entry("artifacts:artifacts", _AROUND, "Have, show or carry what services bring to hosts."),
        "runs": Entry("runs:runs", _AROUND, "Show earlier runs, and how long each step took."),
        "serve": Entry("serve:serve", _AROUND, "Serve all this to browsers and programs, over TLS."),
        "users": Entry("users:users", _AROUND, "Say who may use the service, and what they may do."),
        "tokens": Entry("tokens:tokens", _AROUND, "Make, list and revoke tokens for programs."),
        "audit": Entry("audit:audit", _AROUND, "Show who did what by the service, and from where."),
        "login": Entry("login:login", _AROUND, "Log in at a service elsewhere, for bramble --server."),
        "logout": Entry("login:logout", _AROUND, "Log out at a service elsewhere."),
        "lab": Entry("lab:lab", _AROUND, "Start and stop virtual Pis on this machine."),
        "completion": Entry("completion:completion", _AROUND, "Print the completion script for a shell."),
    },
    context_settings={"max_content_width": 100},
    params=[
        Option(
            ["--server"],
            metavar="URL",
            envvar=VARIABLE,
            help="Let a service do it (bramble serve): its address, or its host once you are logged in there.",
        ),
        Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
        ),
    ],
    epilog="bramble COMMAND --help tells more of each, with examples.",
)


def main() -> NoReturn:
    """Run the command line; the process ends with its exit code."""
    sys.exit(guarded(lambda: bramble.main(prog_name="bramble", standalone_mode=False)))
