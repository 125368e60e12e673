"""Secrets that a person brings in a file: read before any host is touched, kept by bramble alone, seen by nobody."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.unit.test_kubernetes import CLUSTER

from bramble import services
from bramble.api.own_files import bring
from bramble.engine.secrets import SecretStore
from bramble.errors import UsageError
from bramble.inventory import folders
from bramble.plan import Plan
from bramble.runner.secret import Secret
from bramble.services.kubernetes import SERVICE, pull
from bramble.services.kubernetes.config import Config
from bramble.services.kubernetes.logins import LOGINS, namespaces, read

WORD = "c0rrect-horse"
LOGIN = base64.b64encode(f"me:{WORD}".encode()).decode()
FILE = json.dumps({"auths": {"registry.example": {"auth": LOGIN}}})


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    path = tmp_path / "logins.json"
    path.write_text(FILE)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    "entry", [{"auth": LOGIN}, {"username": "me", "password": WORD}, {"auth": LOGIN, "email": "me@registry.example"}]
)
def test_a_login_is_what_kubelet_reads(entry: dict[str, Any]) -> None:
    content, told = read(json.dumps({"auths": {"registry.example": entry}, "HttpHeaders": {"X-Mine": "1"}}).encode())
    assert json.loads(content) == {"auths": {"registry.example": {"auth": LOGIN}}}
    assert told == "pods may pull from registry.example"


def test_a_login_that_does_not_stand_there_is_told() -> None:
    entries = {"registry.example": {"auth": LOGIN}, "ghcr.io": {}, "old.example": {"auth": LOGIN, "identitytoken": "t"}}
    content, told = read(json.dumps({"auths": entries}).encode())
    assert list(json.loads(content)["auths"]) == ["registry.example"]
    assert told.endswith("no login for ghcr.io, old.example stands in the file")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f"me:{WORD}", "not JSON"),
        (json.dumps([WORD]), "auths"),
        (json.dumps({"auths": {"registry.example": WORD}}), "auths"),
        (json.dumps({"auths": {"registry.example": {}}, "credsStore": "desktop"}), "credential helper"),
        (json.dumps({"auths": {"registry.example": {"auth": WORD}}}), "user and password"),
        (json.dumps({"auths": {}}), "user and password"),
        ("", "not JSON"),
    ],
)
def test_what_is_no_such_file_is_refused_unseen(file: Path, content: str, why: str) -> None:
    file.write_text(content)
    with pytest.raises(UsageError) as refused:
        bring(SERVICE, "red", {}, {"pull_secret": str(file)})
    said = str(refused.value)
    assert why in said and str(file) in said and "buildah login" in said
    assert WORD not in said


def test_the_content_itself_is_not_taken_and_not_repeated(file: Path) -> None:
    with pytest.raises(UsageError) as refused:
        bring(SERVICE, "red", {}, {"pull_secret": FILE})
    assert "name of a file" in str(refused.value) and LOGIN not in str(refused.value)


def test_a_file_becomes_a_secret_and_only_its_name_is_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    brought = bring(SERVICE, "red", {"version": "1"}, {"pull_secret": "logins.json"})
    assert brought.options == {"version": "1", "pull_secret": str(file)}
    assert brought.notes == ["pull_secret: pods may pull from registry.example"]
    store = SecretStore(folders.secrets("red"))
    for name, content in brought.contents.items():
        assert content is not None
        store.bring(name, content)
    (part,) = pull.groups(CLUSTER, Config.model_validate({"pull_secret": str(file)}))
    alone = Plan(service="kubernetes", groups=(dataclasses.replace(part, after=()),))
    assert LOGIN not in json.dumps(alone.to_json())
    # A dry run looks with it, and keeps nothing.
    assert LOGIN.encode() in store.values(alone, make=False)[LOGINS.name]
    assert not store.has(LOGINS)
    store.values(alone, make=True)
    kept = folders.secrets("red") / LOGINS.name
    assert stat.S_IMODE(os.stat(kept).st_mode) == 0o600

    # Without the file the copy goes on, but not where somebody names it now.
    file.unlink()
    again = bring(SERVICE, "red", {"pull_secret": str(file)}, {})
    assert again.contents == {} and "not there any more" in again.notes[0]
    with pytest.raises(UsageError, match="cannot be read"):
        bring(SERVICE, "red", {}, {"pull_secret": str(file)})
    # Not wanted any more.
    assert bring(SERVICE, "red", {"pull_secret": str(file)}, {"pull_secret": ""}).contents == {LOGINS.name: None}


def test_a_file_that_others_can_read_is_told_of(file: Path) -> None:
    file.chmod(0o644)
    brought = bring(SERVICE, "red", {}, {"pull_secret": str(file)})
    assert brought.notes[0] == f"others can read {file}: chmod 600 {file}"


def test_what_comes_from_standard_input_is_kept_for_the_next_time(file: Path) -> None:
    given = {"pull_secret": Secret(LOGINS.name, size=0, value=FILE.encode())}
    brought = bring(SERVICE, "red", {}, given)
    assert brought.options == {"pull_secret": "-"} and brought.contents[LOGINS.name]
    with pytest.raises(UsageError, match="nothing is kept"):
        bring(SERVICE, "red", {"pull_secret": "-"}, {})
    kept = folders.secrets("red") / LOGINS.name
    kept.parent.mkdir(parents=True)
    kept.write_text(FILE)
    assert bring(SERVICE, "red", {"pull_secret": "-"}, {}).contents == {}


def test_namespaces_are_named_with_commas_between() -> None:
    assert namespaces(" default, web ,default") == ("default", "web")
    for wrong in ("", "Web", "web,-x", "a" * 64):
        with pytest.raises(UsageError, match="pull_namespaces"):
            services.configure(SERVICE, {"pull_namespaces": wrong})
