"""Secrets that a person types, or keeps in a file; never on the command line, which others can read."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from ..errors import UsageError
from .complaint import warn


def ask(what: str, where: str, hint: str, *, empty: bool = False) -> str:
    """Ask for a secret, without showing what is typed.

    Parameters
    ----------
    what, where
        What it is called: ``sudo password``, ``on the hosts``.
    hint
        What to do where there is no terminal.
    empty
        Whether nothing is an answer.

    Raises
    ------
    UsageError
        There is no terminal, or nothing was typed.
    """
    if not _has_terminal():
        # getpass would fall back to a standard input that echoes.
        raise UsageError(f"there is no terminal to ask for the {what} on", hint=hint)
    value = getpass.getpass(f"{what} {where}: ")
    if not value and not empty:
        raise UsageError(f"the {what} is empty")
    return value


def ask_new(what: str, where: str, hint: str) -> str:
    """Ask for a secret that is new, twice, because nobody sees what is typed.

    Raises
    ------
    UsageError
        As `ask`, or the two differ.
    """
    value = ask(what, where, hint)
    if ask(what, f"{where} once more", hint) != value:
        raise UsageError("the two are not the same", hint="try again")
    return value


def read(what: str, file: str, *, empty: bool = False) -> str:
    """A secret from the one line of a file; warns where others can read that.

    Raises
    ------
    UsageError
        It cannot be read, or holds another number of lines.
    """
    path = Path(file)
    try:
        mode = path.stat().st_mode
        value = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror or "" if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"the {what} file {path} cannot be read", why=why) from None
    if not (value or empty) or "\n" in value:
        raise UsageError(f"the {what} file {path} must hold the password on one line")
    if mode & 0o077 and path.is_file():
        warn(f"others can read {path}", f"chmod 600 {path}")
    return value


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
