"""One run at a time changes a host."""

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import Any, Optional

from .dataclass import dataclass

#: On a tmpfs: a reboot ends every run, and a full disk does not stop anyone from taking the lock.
FOLDER = "/run/bramble"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock of a host, and since when (seconds since the epoch, by the host's clock)."""

    run: str
    who: str
    since: float


class Lock:
    """A flock, so it dies with the process that holds it, however that ends."""

    def __init__(self, folder: str = FOLDER) -> None:
        self.path = os.path.join(folder, "lock")
        self._handle: Optional[int] = None

    def take(self, run: str, who: str) -> Optional[Holder]:
        """Take the lock; returns None, or who has it.

        A reader between the two writes below sees an empty note; then only "somebody" can be named.
        """
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note: dict[str, Any] = {}
            try:
                note = json.loads(os.pread(handle, 4096, 0) or b"{}")
            except ValueError:
                pass  # half-written by its holder at this moment
            finally:
                os.close(handle)
            return Holder(
                run=str(note.get("run", "")), who=str(note.get("who", "somebody")), since=float(note.get("since", 0))
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"run": run, "who": who, "since": time.time()}).encode(), 0)
        self._handle = handle
        return None

    @property
    def held(self) -> bool:
        return self._handle is not None

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
