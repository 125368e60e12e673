"""Whom a card lets in: public keys of the person who burns it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import UsageError
from ..model.public_key import is_public_key

#: What OpenSSH calls the keys that it makes, in ``~/.ssh``.
_OWN = "id_*.pub"


def authorized_keys(files: Sequence[str], logins: Iterable[str] = ()) -> tuple[str, ...]:
    """Lines of ``authorized_keys``, each once.

    Parameters
    ----------
    files
        Files with public keys, a key a line; none for the person's own, ``~/.ssh/id_*.pub``.
    logins
        Files of private keys that hosts are reached with (``key`` in the cluster file); what lies beside one as
        ``….pub`` is let in, too, where no files are named.

    Raises
    ------
    UsageError
        A file cannot be read, or holds something else than public keys.
    """
    paths = [Path(file).expanduser() for file in files]
    if not paths:
        beside = [Path(f"{login}.pub").expanduser() for login in logins if login]
        paths = [*(path for path in beside if path.exists()), *sorted(Path("~/.ssh").expanduser().glob(_OWN))]
    return tuple(dict.fromkeys(line for path in paths for line in _lines(path)))


def _lines(path: Path) -> Iterable[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read", why=error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} holds no public keys", why="it is not text") from None
    if "PRIVATE KEY" in text:
        raise UsageError(f"{path} is a private key, which no host may have", hint=f"--authorized-keys {path}.pub")
    found = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    for number, line in enumerate(found, 1):
        if not is_public_key(line):
            raise UsageError(f"{path} holds something else than public keys", why=f"key {number}: {line[:40]!r}")
    if not found:
        raise UsageError(f"there is no key in {path}", hint="ssh-keygen -t ed25519 makes one")
    return found
