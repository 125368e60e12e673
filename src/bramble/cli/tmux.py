"""A window of tmux with one pane a host; what is typed goes to all of them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from ..errors import BrambleError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..api.shell import Terminal

#: The key, after tmux's own prefix, that lets keystrokes go to one host or to all.
TOGGLE = "S"

#: What the key does, in windows of ours alone.
_BINDING = ("if-shell", "-F", "#{@bramble}", "set-option -w synchronize-panes")

#: A pane ends with its terminal; where ssh itself failed (255), what it said stays until somebody has read it.
_SCRIPT = '{command}; [ $? -ne 255 ] || {{ printf "%s: no terminal; Enter closes this pane " {host}; read -r _; }}'


def arrange(terminals: Sequence[Terminal], name: str, *, sync: bool, columns: int, lines: int) -> list[str]:
    """Open the panes: in a new window of the tmux that we are in, else in a new session.

    Parameters
    ----------
    name
        What the session, or the window, should be called.
    sync
        Whether keystrokes go to all hosts from the beginning.
    columns, lines
        The size of the terminal.

    Returns
    -------
    The command that shows it in this terminal; empty where it is shown already.

    Raises
    ------
    UsageError
        There is no tmux.
    BrambleError
        tmux refuses, as where there is no room for so many panes.
    """
    if shutil.which("tmux") is None:
        raise UsageError(
            "several hosts at once need tmux, which is not installed here",
            hint="sudo apt-get install tmux; or one host alone, or a command for all: bramble run",
        )
    inside = bool(os.environ.get("TMUX"))
    name = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    told = ("-P", "-F", "#{session_id} #{window_id} #{pane_id}")
    if inside:
        first = _tmux("new-window", "-n", name, *told, *_command(terminals[0]))
    else:
        size = ("-x", str(columns), "-y", str(lines))
        first = _tmux("new-session", "-d", "-s", _free(name), "-n", name, *size, *told, *_command(terminals[0]))
    session, window, pane = first.split()
    try:
        _dress(window, sync)
        _name(pane, terminals[0].host)
        for terminal in terminals[1:]:
            pane = _tmux("split-window", "-t", window, "-P", "-F", "#{pane_id}", *_command(terminal)).strip()
            _name(pane, terminal.host)
            # At once: else the next pane would be cut from half of half of half a window.
            _tmux("select-layout", "-t", window, "tiled")
        key = _key()
        if inside:
            _tmux("display-message", f"keystrokes to all hosts, or to one: {key}")
        else:
            who = "#{?pane_synchronized,all hosts,one host}"
            _tmux("set-option", "-t", session, "status-right-length", "70")
            _tmux("set-option", "-t", session, "status-right", f" keystrokes go to {who}; change that: {key} ")
    except BrambleError:
        _tmux(*(("kill-window", "-t", window) if inside else ("kill-session", "-t", session)))
        raise
    return [] if inside else ["tmux", "attach-session", "-t", session]


def _dress(window: str, sync: bool) -> None:
    for option, value in (
        ("@bramble", "1"),
        ("automatic-rename", "off"),
        ("pane-border-status", "top"),
        ("pane-border-format", " #{@host}#{?pane_synchronized, (all),} "),
        ("synchronize-panes", "on" if sync else "off"),
    ):
        _tmux("set-option", "-w", "-t", window, option, value)


def _name(pane: str, host: str) -> None:
    # An option of ours, as a shell over there may change the pane's title.
    _tmux("set-option", "-p", "-t", pane, "@host", host)


def _key() -> str:
    """Bind the key, unless it has another meaning for this person; how to do it then."""
    known = subprocess.run(["tmux", "list-keys", "-T", "prefix", TOGGLE], capture_output=True, text=True, check=False)
    if known.stdout.strip() and "#{@bramble}" not in known.stdout:
        return ":setw synchronize-panes"
    _tmux("bind-key", "-T", "prefix", TOGGLE, *_BINDING)
    return f"{_tmux('show-options', '-gv', 'prefix').strip()} {TOGGLE}"


def _command(terminal: Terminal) -> tuple[str, ...]:
    # sh, as the person's own shell may be one that does not know these words.
    script = _SCRIPT.format(command=shlex.join(terminal.argv), host=shlex.quote(terminal.host))
    return ("sh", "-c", script)


def _free(name: str) -> str:
    """A name that no session has yet: the given one, or with a number behind it."""
    listed = subprocess.run(
        ["tmux", "list-sessions", "-F", "#{session_name}"], capture_output=True, text=True, check=False
    )
    taken = listed.stdout.splitlines()
    return next(text for text in (name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))) if text not in taken)


def _tmux(*words: str) -> str:
    done = subprocess.run(["tmux", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = done.stderr.strip() or f"status {done.returncode}"
        small = "no space" in why
        raise BrambleError(
            "there is no room for so many panes in this terminal" if small else f"tmux {words[0]} failed",
            why="" if small else why,
            hint="name fewer hosts, or make the terminal larger"
            if small
            else "it has to be tmux 3.0 or later: tmux -V",
        )
    return done.stdout
