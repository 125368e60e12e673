"""What `bramble serve --install` writes and refuses, as far as no machine has to be changed for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from bramble.errors import UsageError
from bramble.rest import install


@pytest.mark.parametrize("word", ["/opt/my bramble/python", "100%", "$HOME", 'a"b', "back\\slash"])
def test_a_word_reaches_the_command_as_it_is(word: str) -> None:
    quoted = install._quoted(word)
    assert quoted.startswith('"') and quoted.endswith('"')
    meant = quoted[1:-1].replace("%%", "%").replace("$$", "$").replace('\\"', '"').replace("\\\\", "\\")
    assert meant == word


def test_an_ordinary_word_stays_as_it_is() -> None:
    assert install._quoted("--address") == "--address"


@pytest.mark.parametrize("path", ["/root/venv/bin/python", "/home/ada/.local/bin/bramble", "/tmp/x/python"])
def test_a_program_that_the_unit_hides_is_refused(path: str) -> None:
    assert "does not see what is in" in install._unreadable(Path(path))


def test_a_program_behind_a_shut_door_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "_HIDDEN", ())
    program = tmp_path / "opt/python"
    program.parent.mkdir()
    program.touch(mode=0o755)
    for folder in program.parents:
        if folder.is_relative_to(tmp_path):
            folder.chmod(0o700)
    assert install._unreadable(program) == f"{program.parent} is not open to others"
    program.chmod(0o700)
    assert install._unreadable(program) == f"{program} is not open to others"
    assert install._unreadable(Path("/usr/bin/env")) == ""


def test_a_certificate_that_the_service_could_not_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="could not read") as told:
        install.check_readable(Path("/root/own.key"))
    assert told.value.why == "the service does not see what is in /root"
    assert told.value.hint == "keep it in /etc/ssl"
    monkeypatch.setattr(install, "_HIDDEN", ())
    with pytest.raises(UsageError, match="there is no file"):
        install.check_readable(tmp_path / "own.key")


def test_only_root_installs_and_is_told_where_else_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("sys.argv", ["/opt/bramble/bin/bramble", "serve", "--install"])
    with pytest.raises(UsageError, match="only root") as told:
        install.check()
    assert told.value.hint == "sudo /opt/bramble/bin/bramble serve --install"
    monkeypatch.setattr("sys.executable", "/root/venv/bin/python")
    with pytest.raises(UsageError, match="could not run /root/venv/bin/python") as told:
        install.check_program()
    assert "/opt/bramble/bin/bramble serve --install" in told.value.hint
