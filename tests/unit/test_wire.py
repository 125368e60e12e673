"""Steps on their way to a host and into its journal."""

from __future__ import annotations

import json

import pytest

from bramble.runner.secret import Secret, secrets_in, with_secrets
from bramble.runner.steps import File
from bramble.runner.wire import decode, encode

KEY = Secret("slurm/munge.key", size=1024)
STEP = File(path="/etc/munge/munge.key", content=KEY, mode=0o400, owner="munge", group="munge")


def test_a_step_comes_back_as_it_was() -> None:
    step = File(path="/etc/a", content="text\n")
    assert decode(json.loads(json.dumps(encode(step)))) == step


def test_a_secret_never_prints() -> None:
    filled = with_secrets(STEP, {"slurm/munge.key": b"hunter2"})
    assert "hunter2" not in repr(filled) + str(encode(filled)) + f"{filled}"


def test_a_secret_travels_only_when_revealed() -> None:
    filled = with_secrets(STEP, {"slurm/munge.key": b"\x00\xff"})
    (there,) = secrets_in(decode(encode(filled, reveal=True)))
    assert there.reveal() == b"\x00\xff"
    (in_journal,) = secrets_in(decode(encode(filled)))
    with pytest.raises(ValueError, match="has no value here"):
        in_journal.reveal()


def test_fields_of_another_version_are_passed_over() -> None:
    assert decode({"type": "File", "path": "/etc/a", "content": "", "colour": "red"}) == File(path="/etc/a", content="")


def test_an_unknown_step_is_named() -> None:
    with pytest.raises(ValueError, match="Rocket"):
        decode({"type": "Rocket"})
