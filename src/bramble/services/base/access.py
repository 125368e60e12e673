"""Who may log in: a password, and public keys."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.public_key import is_public_key
from ...runner.secret import Secret
from ...runner.step import Step
from ...runner.steps import AuthorizedKeys, Password
from .. import OwnFile
from .config import Config

PASSWORD = Secret("base/password", size=0)
KEYS = Secret("base/authorized_keys", size=0)


def read_password(content: bytes) -> tuple[bytes, str]:
    """The first line of a file.

    Raises
    ------
    ValueError
        There is none, or no password can be so.
    """
    lines = content.splitlines()
    if not lines or not lines[0]:
        raise ValueError("its first line is empty")
    try:
        text = lines[0].decode()
    except UnicodeDecodeError:
        raise ValueError("its first line is no text") from None
    if text.startswith("$") and (text.count("$") < 3 or ":" in text):
        raise ValueError("it begins with $ as a hash does, and is none")
    return lines[0], "a hash" if text.startswith("$") else "hosts get it over SSH and keep only a hash of it"


def read_keys(content: bytes) -> tuple[bytes, str]:
    """The keys of a file as ``authorized_keys`` and ``id_ed25519.pub`` are.

    Raises
    ------
    ValueError
        A line is no public key, or there is none.
    """
    if b"PRIVATE KEY" in content:
        raise ValueError("it is a private key; the public one is in the file beside it that ends with .pub")
    keys = []
    for number, line in enumerate(map(str.strip, content.decode(errors="replace").splitlines()), 1):
        if line and not line.startswith("#"):
            if not is_public_key(line):
                raise ValueError(f"line {number} is no public key")
            keys.append(line)
    if not keys:
        raise ValueError("there is no key in it")
    return "".join(f"{key}\n" for key in keys).encode(), f"{len(keys)} keys" if len(keys) > 1 else "one key"


OWN_FILES = (
    OwnFile(option="password", secret=PASSWORD, read=read_password, hint="a file with the password alone on a line"),
    OwnFile(
        option="authorized_keys",
        secret=KEYS,
        read=read_keys,
        hint="~/.ssh/id_ed25519.pub, or a file with a key of each person; make one: ssh-keygen -t ed25519",
        public=True,
    ),
)


def access(config: Config) -> Iterator[Step]:
    """Whoever has the keys comes first: a password that locks out is then no harm."""
    if config.authorized_keys:
        yield AuthorizedKeys(keys=KEYS, user=config.user)
    if config.password:
        yield Password(password=PASSWORD, user=config.user)
