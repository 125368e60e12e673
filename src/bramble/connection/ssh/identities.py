"""The private keys to show at a login, in an order that suits servers which allow only a few tries.

First what was named for this host, then what ~/.ssh/config names, then the keys of the ssh-agent, then the usual
files. A key that is protected by a passphrase counts if the agent holds it.
"""

from __future__ import annotations

import copy
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from ...errors import AuthenticationFailed
from ..known_hosts import fingerprint
from ..settings import Settings
from .route import Route

#: What ssh looks for when nothing is named, less types that need a person's finger.
_USUAL = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


@dataclass(frozen=True)
class _File:
    """What a key file turned out to be."""

    path: str
    keys: tuple[asyncssh.SSHKeyPair, ...] = ()
    public: bytes = b""  # the public half of a key that is locked, where it is known
    flaw: str = ""
    hint: str = ""


class Identities:
    """The identities of one run. Files are read once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files: dict[tuple[str, tuple[str, ...]], _File] = {}

    def offer(self, route: Route) -> Offer:
        """The keys for one login."""
        configured = [str(path) for path in route.setting("IdentityFile") or ()]
        certificates = tuple(str(path) for path in route.setting("CertificateFile") or ())
        own = [route.host.key] if route.host.key else []
        named = [self._file(path, certificates) for path in (*own, *self._settings.keys)]
        also = [self._file(path, certificates) for path in configured]
        usual = [] if configured else [self._file(path, certificates) for path in _USUAL if _exists(path)]
        agent = _agent(route) if self._settings.agent else ""
        return Offer(route, named, also, usual, agent, only=bool(route.setting("IdentitiesOnly")))

    def _file(self, path: str, certificates: tuple[str, ...]) -> _File:
        known = self._files.get((path, certificates))
        if known is None:
            known = self._files[path, certificates] = _load(path, certificates)
        return known


class Offer:
    """The keys that one login shows, one after the other.

    Attributes
    ----------
    shown
        Those shown so far, for people: what and where from.
    flaws
        Those that could not be shown, and why.
    hint
        What would mend the last of these.
    """

    def __init__(
        self, route: Route, named: list[_File], also: list[_File], usual: list[_File], agent: str, only: bool
    ) -> None:
        self._route, self._named, self._also, self._usual = route, named, also, usual
        self._agent_path, self._only = agent, only
        self._agent: asyncssh.SSHAgentClient | None = None
        self._held: list[asyncssh.SSHKeyPair] | None = None
        self._done: set[bytes] = set()
        self._next = self._sequence()
        self.shown: list[str] = []
        self.flaws: list[str] = []
        self.hint = ""

    async def check(self) -> None:
        """See that the key which was named for this host can be used.

        Raises
        ------
        AuthenticationFailed
            It cannot: the login would fail with keys that nobody asked for, or succeed by chance.
        """
        for file in self._named:
            if file.flaw and not await self._in_agent(file):
                name = self._route.host.name
                raise AuthenticationFailed(f"the key {file.path} {file.flaw}", host=name, hint=file.hint)

    async def next(self) -> asyncssh.SSHKeyPair | None:
        """The next key, or None after the last."""
        return await anext(self._next, None)

    def close(self) -> None:
        """Let go of the agent."""
        if self._agent is not None:
            self._agent.close()

    async def _sequence(self) -> AsyncIterator[asyncssh.SSHKeyPair]:
        for file in (*self._named, *self._also):
            for key in file.keys or await self._in_agent(file):
                for fresh in self._fresh(key, file.path):
                    yield fresh
        if not self._only:
            for key in await self._agent_keys():
                for fresh in self._fresh(key, f"{_comment(key)} in the ssh-agent"):
                    yield fresh
        for file in self._usual:
            for key in file.keys:
                for fresh in self._fresh(key, file.path):
                    yield fresh
        for file in (*self._also, *self._usual):
            if file.flaw and not await self._in_agent(file):
                self.flaws.append(f"{file.path} {file.flaw}")
                self.hint = file.hint

    def _fresh(self, key: asyncssh.SSHKeyPair, whence: str) -> Iterator[asyncssh.SSHKeyPair]:
        if key.public_data not in self._done:
            self._done.add(key.public_data)
            self.shown.append(f"{whence} ({fingerprint(key.key_public_data)})")
            # A login notes in the key how to sign for that server, so logins must not share one.
            yield copy.copy(key)

    async def _in_agent(self, file: _File) -> list[asyncssh.SSHKeyPair]:
        if not file.public:
            return []
        return [key for key in await self._agent_keys() if key.key_public_data == file.public]

    async def _agent_keys(self) -> list[asyncssh.SSHKeyPair]:
        if self._held is None:
            self._held = []
            if self._agent_path:
                try:
                    self._agent = await asyncssh.connect_agent(self._agent_path)
                    self._held = list(await self._agent.get_keys())
                except (OSError, ValueError):
                    self.flaws.append("the ssh-agent does not answer")
        return self._held


def _exists(path: str) -> bool:
    return os.path.exists(os.path.expanduser(path))


def _comment(key: asyncssh.SSHKeyPair) -> str:
    return (key.get_comment_bytes() or b"a key").decode(errors="replace")


def _agent(route: Route) -> str:
    said = route.setting("IdentityAgent")
    if said is None and "IdentityAgent" in route.options.config.get_options(False):
        return ""  # the word "none"
    if said in (None, "SSH_AUTH_SOCK"):
        return os.environ.get("SSH_AUTH_SOCK", "")
    return os.path.expanduser(os.path.expandvars(str(said)))


def _load(path: str, certificates: tuple[str, ...]) -> _File:
    file = Path(path).expanduser()
    try:
        mode, owner = file.stat().st_mode, file.stat().st_uid
        if mode & 0o077 and owner == os.getuid():
            # What ssh does too: a key that others can read is no secret any more.
            return _File(path, flaw="can be read by other users of this machine", hint=f"chmod 600 {path}")
        return _File(path, keys=tuple(asyncssh.load_keypairs(str(file), certlist=list(certificates))))
    except FileNotFoundError:
        return _File(path, flaw="is not there", hint=f"make one (ssh-keygen -t ed25519 -f {path}), or name another")
    except OSError as error:
        return _File(path, flaw=f"cannot be read: {error.strerror}", hint=f"sudo chown $USER {path}")
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        if "passphrase" in str(error).lower():
            return _File(path, public=_public(file), flaw="is locked with a passphrase", hint=f"ssh-add {path}")
        return _File(path, flaw="holds no private key that can be used", hint=f"see what it is: file {path}")


def _public(file: Path) -> bytes:
    try:
        return asyncssh.read_public_key(f"{file}.pub").public_data
    except (OSError, ValueError):
        return b""
