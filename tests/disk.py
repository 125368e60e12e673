"""A folder that plays a host's file system, and the loop's part in the life of a step."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
from pathlib import Path
from typing import Any

from bramble.runner.step import Change, Record, Step
from bramble.runner.system import System
from bramble.runner.wire import decode, encode

#: Who runs the tests, as fields of a step.
ME: dict[str, Any] = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


class Disk(System):
    """A host's file system in a folder, with a place for what is kept."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.bytes: dict[str, bytes] = {}
        self.keep = self._keep
        self.kept_bytes = self.bytes.__getitem__

    def _keep(self, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        self.bytes[name] = content
        return name

    def put(self, path: str, text: str | bytes = "", mode: int = 0o644) -> Path:
        real = Path(self.path(path))
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(text.encode() if isinstance(text, str) else text)
        real.chmod(mode)
        return real

    def text(self, path: str) -> str:
        return Path(self.path(path)).read_text()


def change(step: Step, system: System) -> Change:
    """What the step would change; fails if it would not."""
    answer = step.check(system)
    assert isinstance(answer, Change), answer
    return answer


def carry_out(step: Step, system: System) -> dict[str, Record]:
    """Do as the loop does; returns the records for `undo`."""
    answer = change(step, system)
    step.apply(system, answer)
    mark = step.fingerprint(system)
    system.recorded.update(dict.fromkeys(step.resources(), mark))
    assert step.check(system) is None
    return {resource: Record(before, mark) for resource, before in answer.before.items()}


def put_back(step: Step, system: System, records: dict[str, Record]) -> str | None:
    """Undo as the loop does, from the wire form, and twice, as after a cut."""
    reason = decode(encode(step)).undo(system, records)
    assert decode(encode(step)).undo(system, records) == reason
    return reason
