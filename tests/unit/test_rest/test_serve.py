"""`bramble serve` as people start and end it: a process of its own, over TLS."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.unit.test_rest.started import PASSWORD, Start

from bramble.cli import bramble
from bramble.cli.complaint import guarded
from bramble.rest import serve, tls
from bramble.rest.names import LOOPBACK, addresses


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Why a service does not start; it is nobody's mistake."""

    def why(*words: str) -> str:
        status = guarded(lambda: bramble.main(["serve", *words], prog_name="bramble", standalone_mode=False))
        said = capsys.readouterr().err
        assert status in (1, 2), said
        assert "mistake in bramble" not in said
        return said

    return why


def test_it_answers_to_who_trusts_its_authority_and_ends_when_asked(start: Start, folder: Path) -> None:
    service = start()
    trusted = ssl.create_default_context(cafile=str(folder / "tls/ca.crt"))
    with httpx.Client(verify=trusted) as client:
        answer = client.get(f"{service.url}api/v1/clusters")
        assert answer.status_code == 401
        assert client.post(f"{service.url}api/v1/session", json={"name": "ada", "password": PASSWORD}).is_success
        assert client.get(service.url, headers={"Host": "evil.example.org"}).status_code == 421
        assert client.get(f"{service.url}ca.pem").text == (folder / "tls/ca.crt").read_text()
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(service.url)
    status, out, err = service.end()
    assert (status, err) == (0, "ada is an admin of the service\n")
    shown = subprocess.run(
        ["openssl", "x509", "-in", folder / "tls/ca.crt", "-noout", "-fingerprint", "-sha256"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"SHA-256 {shown.stdout.strip().partition('=')[2]}" in out
    assert f"curl --cacert ~/.local/share/bramble/service/tls/ca.crt {service.url}api/v1/clusters" in out


def test_all_that_it_keeps_is_its_users_alone_and_a_lost_terminal_ends_it_too(start: Start, folder: Path) -> None:
    assert start().end(signal.SIGHUP)[0] == 0
    kept = [folder, *folder.rglob("*")]
    assert {"ca.key", "server.key", "service.sqlite"} <= {path.name for path in kept}
    public = {"ca.crt", "server.crt"}
    others = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in kept if path.stat().st_mode & 0o077}
    assert others.keys() <= public, others


def test_who_speaks_plain_http_is_told_so_and_gets_nothing_else(start: Start) -> None:
    service = start()
    for asked in (b"GET /ca.pem HTTP/1.1\r\nHost: red\r\n\r\n", b"POST / HTTP/1.0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as plain:
            plain.sendall(asked)
            said = plain.recv(4096)
        assert said.startswith(b"HTTP/1.1 400 ")
        assert b"https://" in said
        assert b"CERTIFICATE" not in said
    # What is neither gets nothing at all.
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as odd:
        odd.sendall(b"\x00" * 64)
        assert not odd.recv(4096).startswith(b"HTTP")
    assert service.end()[0] == 0


def test_it_listens_here_alone_unless_it_is_told_otherwise(start: Start) -> None:
    service = start()
    with socket.create_connection(("127.0.0.1", service.port), timeout=10):
        pass
    for address in addresses():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, service.port), timeout=10).close()


def test_a_short_answer_does_not_wait_until_its_head_is_acknowledged(tmp_path: Path) -> None:
    made = serve.Server(tmp_path / "service", lambda: tls.own(tmp_path / "tls", LOOPBACK), port=0)
    with socket.create_connection(("127.0.0.1", made.port)), made._socket.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), "or who vanished is waited for"
    made.close()


async def test_the_certificate_follows_the_machine_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "_LOOK", 0)
    called = list(LOOPBACK)
    made = serve.Server(tmp_path / "service", lambda: tls.own(tmp_path / "tls", tuple(called)), port=0)
    running = asyncio.create_task(made.serve([made._socket]))
    trusted = await asyncio.to_thread(ssl.create_default_context, cafile=str(tmp_path / "tls/ca.crt"))
    called.append("red.local")
    async with asyncio.timeout(30):
        while not (made.started and "red.local" in made.service.names):  # noqa: ASYNC110 — it says nothing
            await asyncio.sleep(0.05)
        where = {"host": "127.0.0.1", "port": made.port, "ssl": trusted, "server_hostname": "red.local"}
        _, writer = await asyncio.open_connection(**where)
        writer.close()
        # While there is none, the old one stays in use.
        (tmp_path / "tls/ca.crt").write_text("broken")
        await asyncio.sleep(1.5)
        _, writer = await asyncio.open_connection(**where)
        writer.close()
        made.should_exit = True
        await running
    made.close()


def test_a_second_one_does_not_take_the_first_ones_jobs_for_its_own(
    start: Start, folder: Path, refused: Callable[..., str]
) -> None:
    start()
    said = refused("--port", "0")
    assert f"a service runs already that keeps its things in {folder}" in said


def test_without_an_admin_and_a_terminal_it_says_how_to_make_one(home: Path, refused: Callable[..., str]) -> None:
    said = refused("--port", "0")
    assert "there is no admin yet, and no terminal" in said
    assert "bramble serve --admin NAME --password-file FILE" in said


def test_nobody_types_a_password_for_an_admin_who_cannot_be_called_so(home: Path, refused: Callable[..., str]) -> None:
    assert "'No Name' cannot be the name of a user" in refused("--port", "0", "--admin", "No Name")


def at_a_terminal(*answers: tuple[str, str], end: str) -> str:
    """What a service says at a terminal where each question gets its answer; ended when it has said the last."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "bramble", "serve", "--port", "0"])
    said = ""
    try:
        for question, answer in (*answers, (end, "\x03")):
            begun = len(said)
            while question not in said[begun:]:
                said += os.read(terminal, 4096).decode()
            # What is typed before the echo is off would be shown.
            time.sleep(0.3)
            os.write(terminal, f"{answer}\n".encode() if answer != "\x03" else b"\x03")
        os.waitpid(child, 0)
    finally:
        os.close(terminal)
    return said


def test_at_a_terminal_the_first_admin_is_asked_for_once(start: Start) -> None:
    asked = [
        ("first admin of the service?\r\nname [", "maria"),
        ("password of maria", PASSWORD),
        ("once more", PASSWORD),
    ]
    said = at_a_terminal(*asked, end="https://localhost:")
    assert PASSWORD not in said
    assert "ada is an admin" not in start().end()[2], "there is one already"


def test_a_port_that_is_taken_is_named(start: Start, folder: Path, refused: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused("--port", str(port))
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert "--port NUMBER" in said
    assert not (folder / "tls").exists(), "nothing was made"


def test_other_ways_not_to_start_are_told(tmp_path: Path, refused: Callable[..., str]) -> None:
    assert "this machine has no such address" in refused("--address", "192.0.2.99")
    assert "no address to listen on" in refused("--address", "eth0")
    assert "can be no name" in refused("--port", "0", "--name", "a b")
    assert "comes with its key" in refused("--certificate", str(tmp_path / "a.crt"))


def test_a_folder_that_cannot_be_made_is_named(home: Path, refused: Callable[..., str]) -> None:
    data = home / ".local/share"
    data.mkdir(parents=True, exist_ok=True)
    (data / "bramble").write_text("not a folder")
    assert f"{data / 'bramble'}" in refused("--port", "0")


def test_a_new_authority_is_made_and_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    for _ in range(2):
        bramble.main(["serve", "--new-authority"], standalone_mode=False)
        shown.append(tls.fingerprint(folder / "tls/ca.crt"))
        assert shown[-1] in capsys.readouterr().out
    assert shown[0] != shown[1]


def test_where_the_service_is_not_installed_it_says_how_to(tmp_path: Path) -> None:
    (tmp_path / "fastapi.py").write_text("raise ModuleNotFoundError('no', name='fastapi')")
    done = subprocess.run(
        [sys.executable, "-m", "bramble", "serve"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "fastapi is not installed" in done.stderr
    assert "pip install 'pi-bramble[serve]'" in done.stderr
