"""The user's kubeconfig: a context is added for a cluster, and taken out again; all else in it stays to the byte.

The file is the first one that ``KUBECONFIG`` names, else ``~/.kube/config``: the one that kubectl writes to.
"""

from __future__ import annotations

import base64
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BrambleError, ClusterFileError
from . import edit, storage
from .document import Document

#: By this extension of a context bramble knows those that it made; kubectl keeps extensions, and does not look at them.
MARK = "bramble"

#: Seconds to wait for a kubectl that is just writing.
PATIENCE = 5.0

_NEW = "apiVersion: v1\nkind: Config\npreferences: {}\nclusters: []\nusers: []\ncontexts: []\ncurrent-context: ''\n"


@dataclass(frozen=True, kw_only=True)
class Access:
    """How to reach a cluster, and to be believed there.

    Attributes
    ----------
    cluster
        bramble's name of it.
    server
        URL of its API server.
    authority, certificate, key
        PEM: of the authority that signed the server's certificate; the user's own certificate and its key.
    """

    cluster: str
    server: str
    authority: bytes
    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"Access({self.cluster!r}, {self.server!r})"


def path() -> Path:
    """Where it is."""
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return Path(named[0]).expanduser() if named else Path.home() / ".kube" / "config"


def context_of(cluster: str) -> str:
    """The name of the context that bramble made for a cluster; empty where it made none.

    Raises
    ------
    BrambleError
        The file cannot be read, or is no kubeconfig; `find`, `put` and `drop` raise the same.
    """
    return str((_context(_read(path()), cluster) or {}).get("name", ""))


def find(cluster: str) -> Access | None:
    """What bramble once put there for a cluster; None where that is not so, or somebody changed it."""
    document = _read(path())
    context = _context(document, cluster)
    if document is None or context is None:
        return None
    try:
        inside = context["context"]
        there = _named(document, "clusters", inside["cluster"])["cluster"]
        user = _named(document, "users", inside["user"])["user"]
        authority = base64.b64decode(there["certificate-authority-data"])
        certificate = base64.b64decode(user["client-certificate-data"])
        key = base64.b64decode(user["client-key-data"])
    except (KeyError, TypeError, ValueError):
        return None
    return Access(cluster=cluster, server=there["server"], authority=authority, certificate=certificate, key=key)


def put(access: Access) -> str:
    """Add a context for a cluster, or renew the one that bramble made for it.

    A new context becomes the current one. What was there before is kept beside the file until `drop`. A context of
    this name that bramble did not make stays; then the new one is called ``bramble-NAME``.

    Returns
    -------
    str
        The name of the context.
    """
    file = path()
    with _alone(file):
        document = _read(file)
        before = document.text if document else None
        document = document or Document(_NEW, str(file))
        known = _context(document, access.cluster)
        if known is None:
            name = _free_name(document, access.cluster)
            mark: dict[str, Any] = {"cluster": access.cluster, "previous": document.data.get("current-context") or ""}
            if before is None:
                mark["created"] = True
        else:
            name, mark = known["name"], _mark(known) or {}
            document = _without(document, known)
        document = _with(document, name, access, mark)
        if known is None:
            document = edit.put(document, ("current-context",), name)
        if known is None and before is not None:
            storage.replace(_kept(file, access.cluster), before, 0o600)
        storage.replace(file, document.text, 0o600)
        # Its owner's own files may be open to others; now a key to a cluster stands in it.
        file.chmod(0o600)
        return name


def drop(cluster: str) -> bool:
    """Take a cluster's context out again; the one that was current before becomes it, if this one still was.

    Where nothing else changed since, the file is as it was before, to the byte; a file that bramble made goes.
    Returns whether there was one.
    """
    file = path()
    if not file.exists():
        return False
    with _alone(file):
        document = _read(file)
        known = _context(document, cluster)
        kept = _kept(file, cluster)
        if document is None or known is None:
            return False
        mark = _mark(known) or {}
        after = _without(document, known)
        if document.data.get("current-context") == known["name"]:
            previous = mark.get("previous") or ""
            there = any(one.get("name") == previous for one in after.data.get("contexts") or ())
            after = edit.put(after, ("current-context",), previous if there else "")
        if mark.get("created") and not any(after.data.get(part) for part in ("clusters", "users", "contexts")):
            file.resolve().unlink()
        else:
            storage.replace(file, _as_before(kept, document, known, find(cluster)) or after.text, 0o600)
        kept.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        if mark.get("created"):
            file.parent.rmdir()  # only if nothing else is in it
    return True


def _as_before(kept: Path, now: Document, context: dict[str, Any], access: Access | None) -> str:
    """The text from before, if nobody but bramble changed it since; else nothing."""
    try:
        before = kept.read_text(encoding="utf-8")
        again = _with(Document(before, str(kept)), context["name"], access, _mark(context) or {}) if access else None
    except (FileNotFoundError, BrambleError):
        return ""
    unchanged = again is not None and edit.put(again, ("current-context",), context["name"]).text == now.text
    return before if unchanged else ""


def _read(file: Path) -> Document | None:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BrambleError(
            f"the kubeconfig {file} cannot be read",
            why=getattr(error, "strerror", "") or str(error),
            hint="or leave it alone: --set kubeconfig=false",
        ) from None
    if not text.strip():
        return None
    try:
        document = Document(text, str(file))
        for part in ("clusters", "users", "contexts"):
            if not all(isinstance(one, dict) for one in document.data.get(part) or ()):
                document.fail("entries with a name are wanted", (part,))
    except ClusterFileError as error:
        raise BrambleError(
            f"the kubeconfig {file} is not one that kubectl would take, so it is left as it is",
            why=f"line {error.line}: {error.what}" if error.line else error.what,
            hint="mend it, or move it away, or leave it alone: --set kubeconfig=false",
        ) from None
    return document


def _named(document: Document, part: str, name: str) -> dict[str, Any]:
    return next((one for one in document.data.get(part) or () if one.get("name") == name), {})


def _mark(context: dict[str, Any]) -> dict[str, Any] | None:
    extensions = (context.get("context") or {}).get("extensions") or ()
    return next((one.get("extension") or {} for one in extensions if one.get("name") == MARK), None)


def _context(document: Document | None, cluster: str) -> dict[str, Any] | None:
    contexts = (document.data.get("contexts") or ()) if document else ()
    return next((one for one in contexts if (_mark(one) or {}).get("cluster") == cluster), None)


def _free_name(document: Document, cluster: str) -> str:
    taken = {one.get("name") for part in ("clusters", "contexts") for one in document.data.get(part) or ()} | {
        str(one.get("name")).removesuffix("-admin") for one in document.data.get("users") or ()
    }
    return next(name for name in _names(cluster) if name not in taken)


def _names(cluster: str) -> Iterator[str]:
    yield cluster
    yield f"{MARK}-{cluster}"
    number = 2
    while True:
        yield f"{MARK}-{cluster}-{number}"
        number += 1


def _with(document: Document, name: str, access: Access, mark: dict[str, Any]) -> Document:
    def text(value: bytes) -> str:
        return base64.b64encode(value).decode()

    user = f"{name}-admin"
    entries: dict[str, dict[str, Any]] = {
        "clusters": {"cluster": {"certificate-authority-data": text(access.authority), "server": access.server}},
        "contexts": {"context": {"cluster": name, "user": user, "extensions": [{"name": MARK, "extension": mark}]}},
        "users": {"user": {"client-certificate-data": text(access.certificate), "client-key-data": text(access.key)}},
    }
    for part, entry in entries.items():
        whole = {"name": user if part == "users" else name, **entry}
        there = document.data.get(part)
        document = edit.put(document, (part, len(there)), whole) if there else edit.put(document, (part,), [whole])
    return document


def _without(document: Document, context: dict[str, Any]) -> Document:
    inside = context["context"]
    for part, name in (("contexts", context["name"]), ("users", inside["user"]), ("clusters", inside["cluster"])):
        entries = document.data.get(part) or []
        index = next((n for n, one in enumerate(entries) if one.get("name") == name), None)
        if index is not None and len(entries) > 1:
            document = edit.drop(document, (part, index))
        elif index is not None:
            document = edit.put(document, (part,), [])
    return document


def _kept(file: Path, cluster: str) -> Path:
    return file.with_name(f"{file.name}.before-{cluster}")


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Keep kubectl and other runs of bramble from writing at the same time, in kubectl's own way: a file ``.lock``."""
    lock = file.with_name(f"{file.name}.lock")
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            file.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            if time.monotonic() > ends:
                raise BrambleError(
                    f"{lock} is there, so something else is writing to the kubeconfig",
                    hint=f"if nothing does: rm {lock}",
                ) from None
            time.sleep(0.1)
        except OSError as error:
            raise BrambleError(f"{file.parent} cannot be written to", why=error.strerror or "") from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
