"""A home folder of the test's own: no keys, settings or agent of whoever runs the tests."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest
from tests.sshserver import write_key


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder, with one key in it."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    write_key(home / ".ssh" / "id_ed25519")
    return home


@pytest.fixture
def my_key(home: Path) -> asyncssh.SSHKey:
    """The public half of the key in the home folder."""
    return asyncssh.read_private_key(home / ".ssh" / "id_ed25519").convert_to_public()
