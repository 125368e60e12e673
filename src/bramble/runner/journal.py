"""What bramble did to this host: written and synced before each change, so that nothing is ever lost track of.

One file of JSON lines under ``/var/lib/bramble``; beside it ``kept/`` holds the earlier content of files, named by
hash. A line that a power cut left half-written at the end is passed over: the change it announces had not begun.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from typing import Any, Optional

from .dataclass import asdict, dataclass, field
from .step import Record, StepError, os_error

#: Where it is kept on a host.
FOLDER = "/var/lib/bramble"


@dataclass
class Entry:
    """One resource that a service speaks for.

    Attributes
    ----------
    step
        The step in wire form, without secrets: what undoes it.
    number
        Counts the applications of steps on this host: which of two entries came first.
    place
        Where it stands among what the service does; entries of one application share it, and removal goes through them
        from the highest down. It follows the plan as it was last carried out: what an upgrade brings late and another
        step needs goes after that step all the same.
    before
        What was there first, before bramble ever touched it; meaningless unless ``touched``.
    touched
        False where the resource was found as wanted: it is only spoken for, and nothing is put back.
    after
        The step's fingerprint once applied; None until then.
    """

    service: str
    resource: str
    step: "dict[str, Any]"
    number: int
    touched: bool
    before: Any
    run: str
    time: float
    after: Optional[str] = None
    place: int = 0

    @property
    def record(self) -> Record:
        return Record(self.before, self.after)


@dataclass
class Journal:
    """The journal of one host, read once and appended to.

    Raises
    ------
    StepError
        It cannot be read or written; says why (disk full, read-only).
    """

    folder: str = FOLDER
    entries: "dict[tuple[str, str], Entry]" = field(default_factory=dict)
    _lines: int = 0
    _number: int = 0
    _unsynced: bool = False
    _reached: "dict[str, int]" = field(default_factory=dict)  # service: the place of what was carried out last

    @property
    def path(self) -> str:
        return os.path.join(self.folder, "journal.jsonl")

    @classmethod
    def open(cls, folder: str = FOLDER) -> "Journal":
        journal = cls(folder)
        try:
            with open(journal.path, "rb") as file:
                raw = file.read()
        except FileNotFoundError:
            return journal
        lines = raw.split(b"\n")
        # The part behind the last newline is empty, or what a cut left of a line.
        for index, line in enumerate(lines[:-1]):
            try:
                journal._replay(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise StepError(
                    f"line {index + 1} of {journal.path} cannot be read",
                    why=str(error),
                    hint=f"keep a copy of it, take that line out, and run again: {journal.path}",
                ) from None
        journal._lines = len(lines) - 1
        if lines[-1]:
            journal.compact()
        return journal

    def _replay(self, line: "dict[str, Any]") -> None:
        if line["op"] == "entry":
            entry = Entry(**{"place": line["entry"]["number"], **line["entry"]})
            self.entries[(entry.service, entry.resource)] = entry
            self._number = max(self._number, entry.number, entry.place)
        elif line["op"] == "after":
            self.entries[(line["service"], line["resource"])].after = line["after"]
        elif line["op"] == "drop":
            self.entries.pop((line["service"], line["resource"]), None)
        else:
            raise ValueError(f"unknown operation {line['op']!r}")

    def _append(self, lines: "list[dict[str, Any]]", sync: bool = True) -> None:
        if not lines and not (sync and self._unsynced):
            return
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            fresh = not os.path.exists(self.path)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                start = os.fstat(handle).st_size
                try:
                    _write_all(handle, text.encode())
                    if sync:
                        os.fsync(handle)
                except OSError:
                    # Half a line in the middle would make the whole journal unreadable.
                    os.ftruncate(handle, start)
                    raise
            finally:
                os.close(handle)
            if fresh:
                _sync_folder(self.folder)
        except OSError as error:
            raise StepError(
                f"the journal {self.path} cannot be written, so nothing was changed",
                why=error.strerror or str(error),
                hint=os_error(error).hint or f"df -h {self.folder}; mount | grep ' / '",
            ) from None
        self._lines += len(lines)
        self._unsynced = not sync

    def entries_of(self, service: str) -> "list[Entry]":
        """A service's entries, latest application first."""
        mine = [entry for entry in self.entries.values() if entry.service == service]
        return sorted(mine, key=lambda entry: -entry.place)

    def services(self) -> "list[str]":
        """Services that speak for something here."""
        return sorted({service for service, _ in self.entries})

    def services_of(self, resource: str) -> "list[str]":
        """Services that speak for a resource."""
        return sorted({service for service, name in self.entries if name == resource})

    def fingerprints(self, service: str) -> "dict[str, Optional[str]]":
        return {entry.resource: entry.after for entry in self.entries_of(service)}

    def intend(
        self, service: str, step: "dict[str, Any]", resources: "Iterable[str]", before: "Mapping[str, Any]", run: str
    ) -> None:
        """Write down what is about to change (``before``) and what is spoken for besides (``resources``).

        What was there before bramble first touched a resource stays as it was written then.
        """
        self._number += 1
        lines = []
        spoken = dict.fromkeys([*resources, *before])
        place = self._place(service, spoken)
        for resource in spoken:
            old = self.entries.get((service, resource))
            first = old is None or not old.touched
            entry = Entry(
                service=service,
                resource=resource,
                step=step,
                number=self._number if old is None else old.number,
                place=place,
                touched=resource in before if old is None else old.touched or resource in before,
                before=before.get(resource) if first or old is None else old.before,
                run=run,
                time=time.time(),
                after=None if old is None else old.after,
            )
            # A run that changes nothing writes nothing.
            same = (step, place, entry.touched)
            if old is not None and resource not in before and (old.step, old.place, old.touched) == same:
                continue
            self.entries[(service, resource)] = entry
            lines.append({"op": "entry", "entry": asdict(entry)})
        self._append(lines)

    def _place(self, service: str, resources: "Iterable[str]") -> int:
        """The place of a step in the order of its plan: its old one, unless what comes before it got a later one."""
        places = [entry.place if entry else 0 for entry in (self.entries.get((service, one)) for one in resources)]
        place = max(places, default=0)
        if not place or min(places) < self._reached.get(service, 0):
            place = self._number
        self._reached[service] = place
        return place

    def confirm(self, service: str, resource: str, after: Optional[str]) -> None:
        """Write down the fingerprint of what was brought about.

        It reaches the disk with the next intention, or with `sync`. A power cut before that finds the step as one that
        was cut between its change and this word: that costs another look at it, and loses nothing.
        """
        entry = self.entries[(service, resource)]
        if entry.after != after:
            entry.after = after
            self._append([{"op": "after", "service": service, "resource": resource, "after": after}], sync=False)

    def sync(self) -> None:
        """See to it that all that was written is on the disk."""
        self._append([])

    def others(self, service: str, resource: str) -> "list[Entry]":
        """Entries of other services for the same resource."""
        return [e for e in self.entries.values() if e.resource == resource and e.service != service]

    def hand_over(self, entry: Entry, heir: Entry) -> None:
        """Give what a leaving service knows of a resource to another that still speaks for it."""
        lines: list[dict[str, Any]] = [{"op": "drop", "service": entry.service, "resource": entry.resource}]
        if entry.touched:
            # The heir may have written it once more; what was there first is what the one saw that came first.
            if not heir.touched or entry.number < heir.number:
                heir.before = entry.before
            heir.touched = True
            heir.after = heir.after or entry.after
            lines.insert(0, {"op": "entry", "entry": asdict(heir)})
        self._append(lines)
        del self.entries[(entry.service, entry.resource)]

    def drop(self, service: str, resources: "Iterable[str]") -> None:
        """Forget resources that were put back."""
        self._append(
            [
                {"op": "drop", "service": service, "resource": resource}
                for resource in resources
                if self.entries.pop((service, resource), None) is not None
            ]
        )

    def keep(self, content: bytes) -> str:
        """Keep the bytes of a file that is about to change; returns the hash to find them again."""
        name = hashlib.sha256(content).hexdigest()
        folder = os.path.join(self.folder, "kept")
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            os.makedirs(folder, mode=0o700, exist_ok=True)
            handle = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                _write_all(handle, content)
                os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(path + ".new", path)
            _sync_folder(folder)
        return name

    def kept_bytes(self, name: str) -> bytes:
        """What `keep` kept.

        Raises
        ------
        StepError
            It is gone, or is not what it was.
        """
        path = os.path.join(self.folder, "kept", name)
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError as error:
            raise StepError(f"{path} cannot be read", why=error.strerror or str(error)) from None
        if hashlib.sha256(content).hexdigest() != name:
            raise StepError(f"{path} was changed, so the file it stands for cannot be put back")
        return content

    def compact(self) -> None:
        """Write the journal anew with only what still holds; take the folder away when nothing does."""
        if not self.entries:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._lines = 0
            return
        text = "".join(
            json.dumps({"op": "entry", "entry": asdict(entry)}, separators=(",", ":")) + "\n"
            for entry in self.entries.values()
        )
        handle = os.open(self.path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(handle, text.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(self.path + ".new", self.path)
        _sync_folder(self.folder)
        self._lines = len(self.entries)

    def close(self) -> None:
        """Tidy up at the end of a session that wrote."""
        if not self.entries or self._lines > 2 * len(self.entries) + 50:
            self.compact()


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _sync_folder(path: str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
