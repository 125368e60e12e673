"""`bramble shell`: a terminal on one host, or one on each of several with keystrokes to all."""

from __future__ import annotations

import os
import shutil
import sys

import click

from ..errors import UsageError
from . import options
from .complaint import complain
from .lazy import Command, Option


@click.command(
    cls=Command,
    examples="""
    bramble shell --hosts red01
    bramble shell --hosts "red[01-02]"
    # a pane each, but keystrokes to one at a time
    bramble shell --cluster red --no-sync
    """,
)
@click.option("--no-sync", is_flag=True, cls=Option, help="Keystrokes go to one host at a time, at first.")
@options.reach(sudo=False)
def shell(no_sync: bool, reached: options.Reached) -> int:
    """Open a terminal on hosts; what is typed goes to all of them.

    One host gets a plain terminal. Several get a pane each in tmux, and what is typed goes to all: the status line
    tells the key that changes that. Within tmux it is a new window. The way, keys and known host keys are those of all
    other commands, and checked as strictly. The exit code is 1 when no terminal could be opened.
    """
    from .door import api
    from .terminal import waiting
    from .tmux import arrange

    if not _on_a_terminal():
        raise UsageError("there is no terminal here to show another one in", hint="bramble run --hosts EXPR -- COMMAND")
    if shutil.which("ssh") is None:
        raise UsageError("ssh is not installed here", hint="sudo apt-get install openssh-client")
    with waiting("looking for the hosts"):
        found = [one for reach in reached.each for one in api.run(api.shell(**reach))]
    good = [one for one in found if not one.error]
    for one in found:
        if one.error:
            complain(f"{one.host}: {one.error}")
    if not good:
        return 1
    if len(found) > len(good):
        click.pause("Enter goes on with the others, Ctrl-C ends this", err=True)
    argv = list(good[0].argv)
    if len(good) > 1:
        columns, lines = shutil.get_terminal_size()
        name = f"bramble-{'-'.join(reached.clusters) or good[0].host}"
        argv = arrange(good, name, sync=not no_sync, columns=columns, lines=lines)
    if argv:
        os.execvp(argv[0], argv)  # noqa: S606  (no shell is wanted: these are words)
    return 0


def _on_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
