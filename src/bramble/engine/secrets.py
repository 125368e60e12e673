"""Secrets of a cluster: made once on the controller, kept at 0600, handed to hosts inside steps only."""

from __future__ import annotations

import base64
import secrets as random
from collections.abc import Mapping
from pathlib import Path

from ..errors import BrambleError
from ..inventory import storage
from ..plan import Plan
from ..runner.secret import Secret
from . import certificates


class SecretStore:
    """The folder of one cluster's secrets; a secret named ``slurm/munge.key`` is the file of that name below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._brought: dict[str, bytes] = {}

    def values(self, plan: Plan, *, make: bool) -> dict[str, bytes]:
        """Values for all secrets a plan names.

        Parameters
        ----------
        make
            Write those that are missing. Without it (a dry run) they are made up and forgotten.

        Raises
        ------
        BrambleError
            One that must exist does not, or the folder cannot be used.
        """
        known: dict[str, bytes] = {}
        for name, secret in sorted(plan.secrets().items(), key=lambda item: _turn(item[1])):
            known[name] = self._value(secret, make, known)
        return known

    def has(self, secret: Secret) -> bool:
        """Whether there is one already."""
        return (self.folder / secret.name).exists()

    def bring(self, name: str, value: bytes) -> None:
        """A value from outside in place of what is there; the next run that is no dry one keeps it."""
        self._brought[name] = value

    def drop(self, name: str) -> None:
        """Take one away that nobody wants any more."""
        (self.folder / name).unlink(missing_ok=True)

    def read(self, secret: Secret) -> bytes:
        """The value of a secret that was made already.

        Raises
        ------
        BrambleError
            It cannot be read.
        """
        path = self.folder / secret.name
        try:
            return path.read_bytes()
        except OSError as error:
            raise BrambleError(f"the secret {path} cannot be read", why=error.strerror or "") from None

    def of(self, service: str) -> dict[str, bytes]:
        """All that a service has, by name.

        Raises
        ------
        BrambleError
            One cannot be read.
        """
        folder = self.folder / service
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        # What is hidden was cut off while it was written.
        return {
            f"{service}/{name}": self.read(Secret(f"{service}/{name}")) for name in names if not name.startswith(".")
        }

    def put(self, values: Mapping[str, bytes]) -> None:
        """Keep values that were made before.

        Raises
        ------
        BrambleError
            The folder cannot be used.
        """
        for name, value in values.items():
            _write(self.folder / name, value)

    def forget(self, service: str) -> None:
        """Take a service's secrets away, once no host uses them."""
        folder = self.folder / service
        if folder.is_dir():
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _value(self, secret: Secret, make: bool, known: Mapping[str, bytes]) -> bytes:
        path = self.folder / secret.name
        if secret.name in self._brought:
            value = self._brought[secret.name]
            if make:
                _write(path, value)
            return value
        try:
            value = path.read_bytes()
            if secret.form != certificates.OF_SERVER or self._serves(secret, value, known):
                return value
        except FileNotFoundError:
            pass  # made below
        except OSError as error:
            raise BrambleError(f"the secret {path} cannot be read", why=error.strerror or "") from None
        if not secret.size:
            raise BrambleError(f"the secret {path} is missing", hint="put it there, with mode 0600")
        value = self._made(secret, known)
        if make:
            _write(path, value)
        return value

    def _serves(self, secret: Secret, value: bytes, known: Mapping[str, bytes]) -> bool:
        key, authority, _ = self._of_server(secret, known)
        return certificates.serves(value, key, authority, secret.names)

    def _of_server(self, secret: Secret, known: Mapping[str, bytes]) -> tuple[bytes, bytes, bytes]:
        """A server's key, and the certificate and key of the authority that signs for it."""
        folder, _, name = secret.name.rpartition("/")
        beside = (name.rpartition(".")[0] + ".key", "ca.crt", "ca.key")
        # A plan need not hold the authority that was there before it.
        names = (f"{folder}/{one}" for one in beside)
        key, authority, signing = (known.get(name) or self.read(Secret(name)) for name in names)
        return key, authority, signing

    def _made(self, secret: Secret, known: Mapping[str, bytes]) -> bytes:
        if secret.form == certificates.OF_SERVER:
            key, authority, signing = self._of_server(secret, known)
            return certificates.server(key, authority, signing, secret.names)
        if secret.form in certificates.OF_KEYS:
            beside = secret.name.rpartition(".")[0] + ".key"
            return certificates.OF_KEYS[secret.form](known[beside], self.folder.name)
        if secret.form in certificates.KEYS:
            return certificates.KEYS[secret.form]()
        value = random.token_bytes(secret.size)
        forms = {
            "text": lambda: base64.urlsafe_b64encode(value).rstrip(b"="),
            "base64": lambda: base64.b64encode(value),
        }
        forms.update(hex=lambda: value.hex().encode(), bytes=lambda: value)
        return forms[secret.form]()


def _turn(secret: Secret) -> int:
    """A certificate is made from its key, and signed by that of an authority: keys first."""
    return 2 if secret.form == certificates.OF_SERVER else int(secret.form in certificates.OF_KEYS)


def _write(path: Path, value: bytes) -> None:
    storage.put(path, value, 0o600, called=f"the secret {path}")
