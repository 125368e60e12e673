"""What all unit tests share: folders of their own, and properties that do not depend on how busy the machine is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("bramble", deadline=None)
settings.load_profile("bramble")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home: no test reads or writes what belongs to the person who runs it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    places = {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}
    for kind, place in places.items():
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(folder / place))
    return folder
