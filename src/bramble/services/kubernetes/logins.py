"""Logins at private registries, as docker and its kin write them to a file."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from ...runner.secret import Secret
from .. import OwnFile

#: What a person gave; there is nothing to make up in its place.
LOGINS = Secret("kubernetes/pull_secret", size=0)

_HINT = "make one: buildah login --authfile FILE REGISTRY  (podman and skopeo have the same option)"


def read(content: bytes) -> tuple[bytes, str]:
    """The logins in a ``config.json`` of docker's, as kubelet reads them, and which registries they are for.

    What else such a file holds stays here. Of a login that a credential helper keeps only the registry stands in it.

    Raises
    ------
    ValueError
        It is no such file, or holds no login that kubelet could use; nothing of its content is in the message.
    """
    try:
        data = json.loads(content)
    except ValueError:
        raise ValueError("it is not JSON, as docker's config.json is") from None
    entries = data.get("auths") if isinstance(data, dict) else None
    if not isinstance(entries, dict) or not all(isinstance(one, dict) for one in entries.values()):
        raise ValueError("it has no logins under the key auths, as docker's config.json has")
    logins = {registry: {"auth": login} for registry, one in sorted(entries.items()) if (login := _login(one))}
    without = sorted(set(entries) - set(logins))
    if not logins:
        kept = "credsStore" in data or "credHelpers" in data
        why = "a credential helper keeps them" if kept else "user and password, or auth, are missing"
        raise ValueError(f"no login stands in it: {why}")
    told = f"pods may pull from {', '.join(logins)}"
    return (
        json.dumps({"auths": logins}, sort_keys=True).encode(),
        told + (f"; no login for {', '.join(without)} stands in the file" if without else ""),
    )


def _login(entry: dict[str, Any]) -> str:
    """``user:password`` in base64, of an entry that has both; kubelet knows no other kind."""
    user, password, login = (entry.get(key) for key in ("username", "password", "auth"))
    if isinstance(user, str) and isinstance(password, str) and user and password:
        return base64.b64encode(f"{user}:{password}".encode()).decode()
    try:
        user, colon, password = base64.b64decode(login or "", validate=True).partition(b":")
    except (TypeError, ValueError):
        return ""
    return str(login) if user and colon and password.strip(b"\0") and "identitytoken" not in entry else ""


OWN_FILE = OwnFile(option="pull_secret", secret=LOGINS, read=read, hint=_HINT)

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def namespaces(text: str) -> tuple[str, ...]:
    """Names of namespaces with commas between.

    Raises
    ------
    ValueError
        One that cannot be such a name, or none at all.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if not _NAMESPACE.fullmatch(name):
            raise ValueError(f"{name!r} cannot be a namespace: small letters, digits and hyphens")
    if not names:
        raise ValueError("name at least one namespace, such as default")
    return names
