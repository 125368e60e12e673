"""Secrets of a cluster: made once on the controller, kept at 0600, handed to hosts inside steps only."""

from __future__ import annotations

import base64
import os
import secrets as random
from pathlib import Path

from ..errors import BrambleError
from ..plan import Plan
from ..runner.secret import Secret


class SecretStore:
    """The folder of one cluster's secrets; a secret named ``slurm/munge.key`` is the file of that name below it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

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
        return {name: self._value(secret, make) for name, secret in plan.secrets().items()}

    def forget(self, service: str) -> None:
        """Take a service's secrets away, once no host uses them."""
        folder = self.folder / service
        if folder.is_dir():
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _value(self, secret: Secret, make: bool) -> bytes:
        path = self.folder / secret.name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            pass  # made below
        except OSError as error:
            raise BrambleError(f"the secret {path} cannot be read", why=error.strerror or "") from None
        if not secret.size:
            raise BrambleError(f"the secret {path} is missing", hint="put it there, with mode 0600")
        value = random.token_bytes(secret.size)
        if secret.text:
            value = base64.urlsafe_b64encode(value).rstrip(b"=")
        if make:
            _write(path, value)
        return value


def _write(path: Path, value: bytes) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(value)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    except OSError as error:
        raise BrambleError(f"the secret {path} cannot be written", why=error.strerror or "") from None
