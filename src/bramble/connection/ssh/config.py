"""The user's ~/.ssh/config, as asyncssh understands it, without its price.

asyncssh reads the whole file anew for every host, at some 20 µs a line: a file with a block for each of 200 hosts would
cost each of them 17 ms, five times a login. So it is given only the blocks that can matter, in a file of their own with
every line at its place. A block is left out only where that is certain: all its patterns are plain names of others.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import asyncssh

from ...errors import UsageError
from ...model import Host

_BLOCK = re.compile(r"\s*(?P<word>host|match)(?:\s*=\s*|\s+)(?P<patterns>.*)", re.IGNORECASE)
_PLAIN = re.compile(r"[\w.:-]+(?:\s+[\w.:-]+)*")


class _Piece(NamedTuple):
    """Lines up to the next block, and the only hosts they are for; None where any could be meant."""

    hosts: frozenset[str] | None
    text: str
    lines: int


class Config:
    """The configuration of one run, read once.

    Parameters
    ----------
    path
        The file; "" for none.

    Raises
    ------
    UsageError
        It cannot be read.
    """

    def __init__(self, path: str) -> None:
        self._said = path
        self._path = Path(path).expanduser()
        try:
            text = self._path.read_text(errors="surrogateescape") if path and self._path.exists() else ""
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", hint=f"chmod u+r {path}") from None
        self._pieces = _pieces(text)

    def options(self, host: Host) -> asyncssh.SSHClientConnectionOptions:
        """What asyncssh makes of it for a host.

        Raises
        ------
        UsageError
            It has a mistake; says in which line.
        """
        with tempfile.NamedTemporaryFile("w", errors="surrogateescape", prefix="bramble-ssh-config-") as file:
            file.write(self._for(host.name))
            file.flush()
            try:
                return asyncssh.SSHClientConnectionOptions(
                    config=[file.name],
                    host=host.name,
                    port=host.port or (),
                    username=host.user or (),
                    client_keys=None,  # `identities` does that, in an order that suits a limit on tries
                    gss_host=None,  # no Kerberos: it would cost each login a look-up
                    x509_trusted_certs=None,
                    x509_trusted_cert_paths=[],
                )
            except (ValueError, OSError) as error:
                raise self._mistake(error, file.name) from None

    def _for(self, name: str) -> str:
        return "".join(
            piece.text if piece.hosts is None or name in piece.hosts else "\n" * piece.lines for piece in self._pieces
        )

    def _mistake(self, error: ValueError | OSError, read: str) -> UsageError:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        placed = re.fullmatch(r"(?P<file>.*) line (?P<line>\d+): (?P<reason>.*)", text, re.DOTALL)
        if placed is None:
            return UsageError(f"{self._said} cannot be used: {text}", hint=f"mend {self._said}")
        where = str(self._path) if placed["file"] == read else placed["file"]
        what = f"{where}:{placed['line']}: {placed['reason']}"
        return UsageError(what, hint=f"mend line {placed['line']} of {where}")


def _pieces(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    hosts: frozenset[str] | None = None
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if block := _BLOCK.match(line):
            pieces.append(_Piece(hosts, "".join(lines), len(lines)))
            lines = []
            patterns = block["patterns"].strip()
            plain = block["word"].lower() == "host" and _PLAIN.fullmatch(patterns)
            hosts = frozenset(patterns.split()) if plain else None
        lines.append(line)
    pieces.append(_Piece(hosts, "".join(lines), len(lines)))
    return pieces
