"""What goes wrong, told to a person on standard error: ``error: …`` and ``hint: …``, never a traceback."""

from __future__ import annotations

import difflib
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import TextIO

import click

from ..errors import BrambleError
from .lazy import DEBUG, NoSuchCommand

#: As a shell reports a program that wrote to a pipe nobody reads: 128 + SIGPIPE.
BROKEN_PIPE = 141


#: What click says, and what a person would.
_WORDS = {
    "is not a valid integer range": "is not a whole number",
    "is not a valid float range": "is not a number",
    "Invalid value for '{bash|zsh|fish}': ": "",
}


class ReaderGone(Exception):
    """Whoever read standard output has stopped, as ``| head`` does. click would end the process on the error itself."""


def guarded(command: Callable[[], object]) -> int:
    """Run a command and turn whatever comes out of it into an exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end a deployment.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = command()
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGone):
        return _broken_pipe()
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted; nothing was changed")
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        complain(*_in_our_words(error))
        return error.exit_code
    except BrambleError as error:
        show(error)
        return error.exit_code
    except BaseExceptionGroup as group:
        ours = [leaf for leaf in _leaves(group) if isinstance(leaf, BrambleError)]
        if len(ours) < len(list(_leaves(group))):
            return _bug(group)
        for leaf in ours:
            show(leaf)
        return max(leaf.exit_code for leaf in ours)
    except Exception as error:  # noqa: BLE001  (the one place where a bug becomes a message)
        return _bug(error)
    return code if isinstance(code, int) else 0


def show(error: BrambleError) -> None:
    """Tell an error of ours."""
    complain(str(error).removesuffix(f"\n  hint: {error.hint}"), error.hint)


def complain(what: str, hint: str = "") -> None:
    """Write ``error: …`` and, where there is one, ``hint: …``."""
    _write("error", "red", what)
    if hint:
        _write("hint", "cyan", hint)


def warn(what: str, hint: str = "") -> None:
    """Write ``warning: …``: something that does not stop the command."""
    _write("warning", "yellow", what)
    if hint:
        _write("hint", "cyan", hint)


def coloured(stream: TextIO) -> bool:
    """Whether to use colour there: a terminal, unless NO_COLOR says otherwise; FORCE_COLOR always."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _write(word: str, colour: str, text: str) -> None:
    label = click.style(f"{word}:", fg=colour, bold=True)
    try:
        click.echo(f"{label} {text}", err=True, color=coloured(sys.stderr))
    except OSError:
        return  # the terminal is gone: there is nobody to tell, and the exit code still tells it


def _in_our_words(error: click.ClickException) -> tuple[str, str]:
    """The message and hint for a mistake that click found."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    # An option without its argument is found before click knows the command.
    path = context.command_path if context else " ".join(["bramble", *sys.argv[1:2]])
    ask = f"{path} --help"
    if isinstance(error, NoSuchCommand):
        close = difflib.get_close_matches(error.name, error.known, 1)
        return error.message, f"did you mean {path} {close[0]}?" if close else f"all commands: {ask}"
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        known = [option for p in context.command.params for option in p.opts] if context else []
        close = difflib.get_close_matches(name, known, 1)
        return f"{path} has no option {name}", f"did you mean {close[0]}?" if close else f"all options: {ask}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        shown = error.param.opts[0] if isinstance(error.param, click.Option) else error.param.make_metavar(context)  # type: ignore[arg-type]
        return f"{path} needs {shown.removesuffix('...')}", ask
    message = error.format_message().rstrip(".")
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:], ask


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _bug(error: BaseException) -> int:
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    frame = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    place = f" ({os.path.basename(frame.filename)}:{frame.lineno})" if frame else ""
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    again = shlex.join(["bramble", *sys.argv[1:], "--debug"]) if "--" not in sys.argv else f"{DEBUG}=1 bramble ..."
    complain(
        f"this is a mistake in bramble, not yours: {said}{place}",
        "" if os.environ.get(DEBUG) else f"see where it comes from, and report it: {again}",
    )
    return 1


def _broken_pipe() -> int:
    # Whatever is still in the buffer has no reader; without this Python would complain at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE
