"""Doing something inside a host as its root, past network and sshd: for tests, and for ``bramble lab shell``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from bramble.errors import HostError
from bramble.lab import power
from bramble.lab.process import clean_environment, last_lines
from bramble.lab.requirements import require
from bramble.lab.state import HostSpec, LabSpec, existing


def entrance(lab: LabSpec, host: HostSpec) -> list[str]:
    """The words that put a command into a host that is on; see :func:`bramble.lab.power.entrance`.

    Raises
    ------
    HostError
        The host is switched off.
    """
    return power.entrance(power.leader(lab, host))


def execute(
    name: str,
    host: str,
    argv: Sequence[str],
    *,
    stdin: str | bytes = b"",
    timeout: float = 120.0,
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a host as its root and return what it said.

    Parameters
    ----------
    name, host
        Of the lab and the host.
    argv
        Program and arguments; no shell.
    stdin
        For its standard input.
    timeout
        Seconds after which it is given up.
    check
        Whether a non-zero exit is an error.

    Raises
    ------
    HostError
        The host is off, the command took too long, or (with ``check``) failed; ``why`` is the end of what it said.
    """
    require()
    lab = existing(name)
    try:
        done = subprocess.run(
            [*entrance(lab, lab.host(host)), *argv],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=timeout,
            env=clean_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise HostError(f"{argv[0]} took longer than {timeout:.0f} s", host=host) from error
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if check and done.returncode != 0:
        raise HostError(f"{argv[0]} exited with {done.returncode}", host=host, why=last_lines(err or out, 5))
    return subprocess.CompletedProcess(list(argv), done.returncode, out, err)


def shell(name: str, host: str) -> int:
    """An interactive root shell on a host, on the caller's terminal; returns its exit status."""
    require()
    lab = existing(name)
    environment = clean_environment({"TERM": os.environ.get("TERM", "dumb")})
    # `script` gives the shell a terminal of the host's own, so that job control and `tty` work.
    words = [*entrance(lab, lab.host(host)), "script", "-qec", "bash --login", "/dev/null"]
    return subprocess.run(words, env=environment, check=False).returncode
