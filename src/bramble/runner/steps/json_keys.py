"""Keys of a JSON file that others own, too."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Optional

from ..step import Answer, Change, Record, Step, StepError, step
from ..system import System
from .filesystem import WORLD_READABLE, diff, forget_unfinished, ids_of, look, missing_folder, write


@step
class JsonKeys(Step):
    """Keys that have these values in a JSON file, such as /etc/docker/daemon.json; its other keys are left as they are.

    A file that is not there is made, and goes again unless somebody put another key into it.

    Parameters
    ----------
    path
        Absolute. The folder it lies in is not made.
    keys
        Keys of the outermost object, and the whole value of each: JSON values. No secrets: they would be shown.

    Raises
    ------
    ValueError
        There are no keys.
    """

    path: str
    keys: "Mapping[str, Any]"

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError(f"{self.path}: JsonKeys needs a key")

    @property
    def _file(self) -> str:
        return f"JsonKeys {self.path}"

    def resources(self) -> "tuple[str, ...]":
        return (self._file, *(self._resource(key) for key in self.keys))

    def _resource(self, key: str) -> str:
        # One each, so that a key that a plan wants no longer can be put back while the others stay.
        return f"JsonKeys {self.path}: {key}"

    @property
    def title(self) -> str:
        return f"{self._file}: {', '.join(self.keys)}"

    @property
    def _wanted(self) -> "dict[str, Any]":
        # As they come out of a file: on the wire, lists become tuples.
        wanted: dict[str, Any] = json.loads(json.dumps(dict(self.keys)))
        return wanted

    def check(self, system: System) -> Answer:
        text = _read(system.path(self.path))
        now = self._parse(text)
        found = {key: value for key, value in self._wanted.items() if key not in now or not _same(now[key], value)}
        if not found:
            return None
        state = look(system.path(self.path))
        before: dict[str, Any] = {self._resource(key): [now[key]] if key in now else [] for key in found}
        before[self._file] = None if state is None else {**state, "text": text}
        summary = ", ".join(f"{'change' if key in now else 'add'} {key}" for key in found)
        readable = state is None or state["mode"] & WORLD_READABLE
        return Change(summary, before, diff(text or "", _text({**now, **self._wanted}), self.path) if readable else "")

    def _parse(self, text: "Optional[str]") -> "dict[str, Any]":
        hint = f"look at it, and mend it or move it away: {self.path}"
        try:
            # Daemons take an empty file for one without keys.
            now = json.loads(text) if text and text.strip() else {}
        except ValueError as error:
            raise StepError(f"{self.path} is not JSON", why=str(error), hint=hint) from None
        if not isinstance(now, dict):
            raise StepError(f"{self.path} holds no JSON object, so it has no keys", hint=hint)
        return now

    def apply(self, system: System, change: Change) -> None:
        now = self._parse(_read(system.path(self.path)))
        self._write(system, {**now, **self._wanted})

    def _write(self, system: System, values: "Mapping[str, Any]") -> None:
        path = system.path(self.path)
        state = look(path)
        if state is None:
            if not os.path.isdir(os.path.dirname(path)):
                raise missing_folder(self.path)
            write(path, _text(values).encode(), 0o644, os.getuid(), os.getgid())
        else:
            write(path, _text(values).encode(), state["mode"], state["uid"], state["gid"])

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        path = system.path(self.path)
        forget_unfinished(path)
        text = _read(path)
        if text is None:
            return f"{self.path} is gone, so no key of it is put back" if self._theirs(records) else None
        now = self._parse(text)
        changed = []
        for key, value in self._wanted.items():
            record = records.get(self._resource(key))
            state = [now[key]] if key in now else []
            if record is None or _same(state, record.before):
                continue  # not to be put back, or so by now: by an undo that was cut, or by hand
            if state and not _same(state, [value]):
                changed.append(key)
            elif record.before:
                now[key] = record.before[0]
            else:
                now.pop(key, None)
        self._put_back(system, now, records)
        if changed:
            system.kept.append(self.path)
            return f"{', '.join(changed)} in {self.path} was changed by somebody since, so it stays as it is"
        return None

    def _theirs(self, records: "Mapping[str, Record]") -> bool:
        return any(record.before for record in records.values())

    def _put_back(self, system: System, values: "dict[str, Any]", records: "Mapping[str, Record]") -> None:
        path = system.path(self.path)
        record = records.get(self._file)
        before = None if record is None else record.before
        if record is not None and before is None and not values:
            os.unlink(path)
        elif before is not None and _same(values, self._parse(before["text"])):
            # To the byte: with the spaces and the order that they gave it.
            write(path, before["text"].encode("utf-8", "surrogateescape"), before["mode"], *ids_of(before))
        else:
            self._write(system, values)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same as JSON; for Python, true and 1 are equal, too."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _text(values: "Mapping[str, Any]") -> str:
    return json.dumps(values, indent=4, ensure_ascii=False) + "\n"


def _read(path: str) -> Optional[str]:
    state = look(path)
    if state is None:
        return None
    if state["kind"] != "file":
        raise StepError(f"{path} is a {state['kind']}, not a file", hint=f"look at it: ls -ld {path}")
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
