"""Users, tokens and the audit of a service, by the command line of its machine."""

from __future__ import annotations

import asyncio
import getpass
import json
import sqlite3
from pathlib import Path

import pytest
from tests.unit.test_cli.support import Cli

from bramble import inventory
from bramble.cli import typed
from bramble.rest.service import Service

PASSWORD = "four words in a row"


@pytest.fixture
def password(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    return str(file)


@pytest.fixture
def ada(cli: Cli, password: str) -> None:
    """There is an admin."""
    assert cli("users", "add", "ada", "--role", "admin", "--password-file", password).code == 0


def test_without_a_service_the_next_step_is_told(cli: Cli) -> None:
    for words in (("users",), ("tokens",), ("audit",), ("tokens", "create", "ci")):
        ended = cli(*words)
        assert (ended.code, ended.out) == (2, "")
        assert "hint: bramble serve" in ended.err


@pytest.mark.usefixtures("ada")
def test_who_is_added_may_log_in_while_the_service_runs(cli: Cli, password: str) -> None:
    async def logs_in(name: str) -> bool:
        return await service.users.check(name, PASSWORD) is not None

    service = Service(inventory.folders.service())
    assert not asyncio.run(logs_in("maria"))
    ended = cli("users", "add", "maria", "--role", "operator", "--password-file", password)
    assert (ended.code, ended.out) == (0, "maria may log in as operator\n")
    assert "--owner maria --scope deploy" in ended.err
    assert asyncio.run(logs_in("maria"))
    assert cli("users", "remove", "maria", "--yes").out == "maria is gone\n"
    assert not asyncio.run(logs_in("maria"))
    service.database.close()


def test_a_password_is_asked_for_twice(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "_has_terminal", lambda: True)
    for answers, code in ((["x" * 9 + "yz", "other"], 2), ([PASSWORD, PASSWORD], 0)):
        monkeypatch.setattr(getpass, "getpass", lambda _prompt, given=answers: given.pop(0))
        assert cli("users", "add", "ada", "--role", "admin").code == code


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("name", ["ada", "No Name"])
def test_nobody_types_a_password_for_a_name_that_cannot_be_had(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def asked(_prompt: str) -> str:
        pytest.fail("it asked for the password")

    monkeypatch.setattr(typed, "_has_terminal", lambda: True)
    monkeypatch.setattr(getpass, "getpass", asked)
    ended = cli("users", "add", name)
    assert ended.code == 2
    assert f"{name!r}" in ended.err


@pytest.mark.usefixtures("ada")
def test_the_last_admin_cannot_go(cli: Cli) -> None:
    for words in (("users", "remove", "ada", "--yes"), ("users", "role", "ada", "viewer")):
        ended = cli(*words)
        assert ended.code == 2
        assert "ada is the last admin" in ended.err


@pytest.mark.usefixtures("ada")
def test_a_token_alone_goes_to_standard_output(cli: Cli) -> None:
    ended = cli("tokens", "create", "ci", "--scope", "deploy", "--expires", "30d")
    assert ended.code == 0
    token = ended.out.removesuffix("\n")
    assert token.startswith("brm_")
    assert "\n" not in token
    service = Service(inventory.folders.service())
    who = service.tokens.principal(token)
    service.database.close()
    assert who is not None
    assert (who.name, who.role) == ("ada", "operator")
    listed = json.loads(cli("tokens", "--json").out)
    assert listed["expires"] - listed["created"] == 30 * 86400
    assert token not in cli("tokens").whole + cli("audit").whole
    assert cli("tokens", "revoke", "ci").code == 0
    assert "no tokens yet" in cli("tokens").out


@pytest.mark.usefixtures("ada")
def test_what_was_done_is_in_the_audit(cli: Cli) -> None:
    cli("tokens", "create", "ci")
    cli("tokens", "create", "ci")  # refused: nothing was done
    entries = [json.loads(line) for line in cli("audit", "--json").out.splitlines()]
    assert [(one["what"], one["via"], one["who"]) for one in entries] == [
        (what, "command line", getpass.getuser()) for what in ("tokens_create", "users_add")
    ]
    assert PASSWORD not in cli("audit").out
    assert cli("audit", "--what", "users_add", "--csv").out.splitlines()[1].startswith("1,")
    assert "nothing of that" in cli("audit", "--by", "nobody").out


@pytest.mark.usefixtures("ada")
def test_an_entry_that_was_changed_by_hand_is_found(cli: Cli) -> None:
    cli("tokens", "create", "ci")
    assert cli("audit", "--check").out.startswith("2 entries, each as it was written; the last is ")
    with sqlite3.connect(inventory.folders.service() / "service.sqlite") as by_hand:
        with pytest.raises(sqlite3.IntegrityError):
            by_hand.execute("UPDATE audit SET who = 'eve'")
        by_hand.execute("DROP TRIGGER audit_stays")
        by_hand.execute("UPDATE audit SET who = 'eve' WHERE number = 2")
    by_hand.close()
    ended = cli("audit", "--check")
    assert ended.code == 1
    assert "entry 2 of the audit is not as it was written" in ended.err


@pytest.mark.usefixtures("ada")
def test_another_users_service_is_left_alone(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody")
    ended = cli("users")
    assert ended.code == 2
    assert "hint: sudo -u" in ended.err


def test_the_hash_of_a_password_is_never_shown(cli: Cli, password: str) -> None:
    cli("users", "add", "ada", "--role", "admin", "--password-file", password)
    assert "argon2" not in cli("users", "--json").out
    assert set(json.loads(cli("users", "--json").out)) == {"name", "role", "created"}
