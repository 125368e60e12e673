"""Long proofs of services: each runs where its services' plans, or the proof itself, have changed since it passed.

What services share (engine, steps, connection) is proved at every run, by the suite of all services and by tests of
its own; a long proof takes ten minutes and more, all of them hours. So ``proven.json`` has, for each, a hash of what
its services do on hosts, as the snapshots of their plans say it, and of its own file, with which it passed. Where they
are others now, it runs; ``--thorough`` runs all, and notes in that file which passed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bramble.api.needs import with_needs
from bramble.inventory import storage

#: Proof → the services that it is about. In brackets: a service's turn in the suite.
LONG = {
    "test_docker": ("docker", "kubernetes"),
    "test_hadoop": ("hadoop",),
    "test_images": ("docker", "images", "kubernetes"),
    "test_kubernetes": ("kubernetes",),
    "test_kubernetes_extras": ("kubernetes",),
    "test_kubernetes_wrong": ("kubernetes",),
    "test_spark": ("spark",),
    "test_suite[kubernetes]": ("kubernetes",),
    "test_web_app": ("images", "kubernetes"),
}

#: On how many releases a service takes its turn in the suite.
_RELEASES = 2

_HERE = Path(__file__).parent
_FILE = _HERE / "proven.json"
_SNAPSHOTS = _HERE.parent / "unit/__snapshots__"


def proof_of(item: pytest.Item) -> str:
    """The long proof that a test belongs to; empty for none."""
    stem, callspec = item.path.stem, getattr(item, "callspec", None)
    name = f"test_suite[{callspec.params.get('service')}]" if stem == "test_suite" and callspec else stem
    return name if name in LONG else ""


def is_whole(proof: str, tests: int) -> bool:
    """Whether these many tests are all of a proof."""
    if "[" in proof:
        return tests == _RELEASES
    return tests == (_HERE / f"{proof}.py").read_text(encoding="utf-8").count("\ndef test_")


def is_proven(proof: str) -> bool:
    """Whether a long proof passed with all that is here now."""
    return bool(_recorded().get(proof) == _content(proof))


def note(proof: str) -> None:
    """A long proof has passed."""
    with storage.locked(_FILE):
        found = {**_recorded(), proof: _content(proof)}
        storage.replace(_FILE, json.dumps(found, indent=2, sort_keys=True) + "\n")


def _recorded() -> dict[str, str]:
    found: dict[str, str] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def _content(proof: str) -> str:
    own = _HERE / f"{proof.partition('[')[0]}.py"
    rooms = {room.name for service in LONG[proof] for room in with_needs(service)}
    plans = (_SNAPSHOTS / f"test_{room}.ambr" for room in sorted(rooms))
    digest = hashlib.sha256(own.read_bytes())
    for plan in plans:
        if plan.exists():  # what has none does the same on all hosts, as `java`
            digest.update(plan.read_bytes())
    return digest.hexdigest()
