"""Lines of public keys, as ``authorized_keys`` and the files beside private ones have them."""

from __future__ import annotations

import base64
import binascii
import itertools


def is_public_key(line: str) -> bool:
    """Whether somewhere behind the options of such a line (sshd(8)), if it has any, there is a key, and a whole one."""
    if not line.replace("\t", " ").isprintable() or line.startswith("#"):
        return False
    return any(_names_itself(kind, data) for kind, data in itertools.pairwise(line.split()))


def _names_itself(kind: str, data: str) -> bool:
    """Whether these are a key's two words: the second, decoded, is parts with their lengths, and the first of them."""
    try:
        blob = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return False
    parts = []
    while len(blob) >= 4:
        size = int.from_bytes(blob[:4])
        parts.append(blob[4 : 4 + size])
        blob = blob[4 + size :] if len(parts[-1]) == size else b"cut"
    return not blob and len(parts) > 1 and parts[0] == kind.encode()
