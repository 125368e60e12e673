"""SSH host keys, made before their host first starts, so that its first connection need not be trusted blindly."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..model import HostKey


def make_host_key(comment: str) -> HostKey:
    """A new Ed25519 key; every system that bramble knows has sshd take it.

    Parameters
    ----------
    comment
        What stands behind the public key, as ``root@red01``.
    """
    key = Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return HostKey(kind="ed25519", private=private.decode(), public=f"{public.decode()} {comment}")


def fingerprint(public: str) -> str:
    """``SHA256:…``, as ``ssh-keygen -l`` prints it, of ``ssh-ed25519 AAAA…``.

    Raises
    ------
    ValueError
        It is no public key.
    """
    words = public.split()
    if len(words) < 2:
        raise ValueError("this is no public key")
    digest = hashlib.sha256(base64.b64decode(words[1], validate=True)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
