"""Answers of what only reads: made once, and given again as long as what they are made of is the same."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import hashlib
import inspect
import json
import os
import re
import sqlite3
import time
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import Response

from .. import api, inventory
from ..model import HostSet

#: Verbs whose answers are made of cluster files and the history, and of nothing that passes.
_LASTING = {"hosts_list", "hosts_show", "images_list", "services"}

#: So many answers are kept: one of a cluster with 1,000 hosts has half a megabyte.
_MOST = 64

#: Smaller bodies, in bytes, fit into a packet or two as they are.
_WORTH_PACKING = 2048

#: How a route's description says that it may answer so.
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "It is what you have (If-None-Match)"}}

#: A caller who takes gzip (RFC 9110, 12.5.3).
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


@dataclass(frozen=True)
class Answer:
    """What a verb answered.

    Attributes
    ----------
    value
        As JSON values.
    body
        As JSON.
    etag
        Another one for each other body.
    packed
        The body in gzip, of one that is kept and long; else nothing.
    """

    value: Any
    body: bytes
    etag: str
    packed: bytes = b""

    @classmethod
    def to(cls, value: Any, *, pack: bool = False) -> Answer:
        """The answer with this value; packing takes long, so it is for those that are given again and again."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        packed = gzip.compress(body, compresslevel=6, mtime=0) if pack and len(body) > _WORTH_PACKING else b""
        return cls(value, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', packed)


class Answers:
    """The answers of a service to what only reads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[object, Answer]] = OrderedDict()
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._history: tuple[int, sqlite3.Connection] | None = None

    async def of(self, verb: str, values: Mapping[str, Any]) -> Answer:
        """The answer of a verb to these arguments.

        Raises
        ------
        BrambleError
            What the verb raises.
        """
        if verb not in _LASTING:
            return await _asked(verb, values)
        key = json.dumps([verb, values], sort_keys=True)
        # Whoever asks for the same while it is made waits for that.
        async with self._locks.setdefault(key, asyncio.Lock()):
            stamp = self._stamp()
            kept = self._kept.get(key)
            if kept is None or kept[0] != stamp:
                kept = self._kept[key] = (stamp, await _asked(verb, values, pack=True))
                if len(self._kept) > _MOST:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return kept[1]

    def close(self) -> None:
        """Let go of the history."""
        if self._history is not None:
            self._history[1].close()
            self._history = None

    def _stamp(self) -> object:
        """What is another one as soon as a cluster file or the history is."""
        try:
            with os.scandir(inventory.folders.clusters()) as found:
                stats = sorted((one.name, one.stat()) for one in found if one.name.endswith(".yaml"))
        except FileNotFoundError:
            stats = []
        files = [(name, one.st_mtime_ns, one.st_ino, one.st_size) for name, one in stats]
        return files, self._history_version(inventory.folders.history())

    def _history_version(self, path: Path) -> tuple[int, int]:
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            self.close()
            return 0, 0
        if self._history is None or self._history[0] != inode:
            self.close()
            self._history = inode, sqlite3.connect(path)
        try:
            version: int = self._history[1].execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return inode, time.monotonic_ns()  # the verb says what is wrong with it
        return inode, version


def respond(http: Request, answer: Answer) -> Response:
    """An answer, packed if it is so already and the caller takes that, or that it is still what the caller has."""
    packs = bool(answer.packed) and _TAKES_GZIP.search(http.headers.get("accept-encoding", "")) is not None
    # Other bytes are another representation, so they have another tag.
    headers = {"ETag": answer.etag[:-1] + '-gzip"' if packs else answer.etag, "Vary": "Accept-Encoding"}
    known = [one.strip().removeprefix("W/") for one in http.headers.get("if-none-match", "").split(",")]
    if http.method == "GET" and not {answer.etag, headers["ETag"], "*"}.isdisjoint(known):
        return Response(status_code=304, headers=headers)
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(answer.packed if packs else answer.body, media_type="application/json", headers=headers)


async def _asked(verb: str, values: Mapping[str, Any], *, pack: bool = False) -> Answer:
    function = getattr(api, verb)
    if inspect.iscoroutinefunction(function):
        found = await function(**values)
    else:  # it reads files
        found = await asyncio.to_thread(function, **values)
    return await asyncio.to_thread(lambda: Answer.to(plain(found), pack=pack))


def plain(found: Any) -> Any:
    """What a verb returned, as JSON values."""
    if isinstance(found, tuple | list):
        return [plain(one) for one in found]
    if hasattr(found, "to_json"):
        found = found.to_json()
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        found = dataclasses.asdict(found)
    return jsonable_encoder(found, custom_encoder={HostSet: lambda hosts: list(hosts.names)})
