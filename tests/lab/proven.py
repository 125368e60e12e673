"""Long proofs of one service: each runs where something of the service or of the proof has changed since it passed.

What a service shares with all others (engine, steps, connection) is proved by the suite of all services and by the
tests of these parts, at every run; a long proof takes ten minutes and more, and several of them an hour. So
``proven.json`` has, for each, a hash of the service's own files and of the proof's with which it passed. Where they are
others now, the proof runs; ``--thorough`` runs all, and notes in that file which passed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import bramble.services as services
from bramble.api.needs import with_needs

#: Proof → the service that it is about.
LONG = {
    "test_hadoop": "hadoop",
    "test_kubernetes": "kubernetes",
    "test_kubernetes_extras": "kubernetes",
    "test_kubernetes_wrong": "kubernetes",
    "test_spark": "spark",
}

_HERE = Path(__file__).parent
_FILE = _HERE / "proven.json"


def is_proven(test: str) -> bool:
    """Whether a long proof passed with all that is here now."""
    return bool(_recorded().get(test) == _content(test))


def note(test: str) -> None:
    """A long proof has passed."""
    found = {**_recorded(), test: _content(test)}
    _FILE.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _recorded() -> dict[str, str]:
    found: dict[str, str] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def _content(test: str) -> str:
    rooms = [Path(str(services.__file__)).parent / room.name for room in with_needs(LONG[test])]
    files = [path for room in rooms for path in room.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    said = [path for path in files if path.suffix != ".md"]  # what the manual says is no matter here
    digest = hashlib.sha256((_HERE / f"{test}.py").read_bytes())
    for path in sorted(said):
        digest.update(f"{path.relative_to(rooms[0].parent)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
