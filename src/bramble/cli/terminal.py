"""Where text for people goes: consoles that treat host expressions as text, and questions."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO

import click
from rich.console import Console, RenderableType
from rich.text import Text

from ..errors import Interrupted, UsageError
from .complaint import coloured

#: Where nobody looks at columns, no line is cut or wrapped.
_UNBOUNDED = 100_000


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Let the error through: rich would end the process here, in the middle of a deployment."""
        raise  # noqa: PLE0704  (called while it is handled)


def console(stream: TextIO | None = None) -> Console:
    """A console on standard output, or another stream.

    Nothing is taken for markup or emoji codes: ``[red]`` is a host expression.
    """
    stream = stream if stream is not None else sys.stdout
    colour = coloured(stream)
    return _Console(
        file=stream,
        width=None if stream.isatty() else _UNBOUNDED,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=not colour,
        force_terminal=colour or stream.isatty(),
    )


def show(where: Console, part: RenderableType) -> None:
    """Print something. Text is not wrapped, so that a command in it can be copied; tables end where they end."""
    if isinstance(part, str | Text) or where.is_terminal:
        where.print(part, soft_wrap=isinstance(part, str | Text))
        return
    with where.capture() as shown:
        where.print(part)
    where.out("\n".join(line.rstrip() for line in shown.get().splitlines()), highlight=False)


def lively(stream: TextIO) -> bool:
    """Whether lines there can be redrawn."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(question: str, *, yes: bool, needed: bool = False) -> None:
    """Ask before something is lost.

    Parameters
    ----------
    yes
        It was answered on the command line.
    needed
        Without a terminal to ask on, refuse; else go on.

    Raises
    ------
    UsageError
        No terminal, and the answer is needed.
    Interrupted
        The person said no.
    """
    if yes:
        return
    if not interactive():
        if needed:
            raise UsageError("this cannot be undone, and there is no terminal to ask on", hint="add --yes")
        return
    if not click.confirm(question, err=True):
        raise Interrupted("not confirmed; nothing was changed")


@contextlib.contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show that something is going on, where somebody looks; nothing stays of it."""
    if not lively(sys.stderr):
        yield
        return
    with console(sys.stderr).status(text):
        yield
