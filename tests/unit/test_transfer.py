"""The transfer of artifacts between hosts: handed on as they arrive, gone on with after a cut, checked everywhere."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from bramble.runner.transfer import Transfer, place

CONTENT = os.urandom(900_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
WHAT = {"sha256": SHA, "size": len(CONTENT)}


class Host:
    """A host's end, in a folder of its own."""

    def __init__(self, folder: Path, stdin: Any = None) -> None:
        self.folder = str(folder)
        self.said: list[dict[str, Any]] = []
        self.transfer = Transfer(stdin or io.BytesIO(), self.said.append, self.folder)

    def ask(self, do: str, **words: Any) -> dict[str, Any]:
        self.transfer.serve({"do": do, **words})
        return self.said[-1]

    @property
    def file(self) -> Path:
        return Path(place(SHA, self.folder))


def pushed(folder: Path, content: bytes = CONTENT) -> Host:
    host = Host(folder, io.BytesIO(content))
    host.ask("push", **WHAT)
    return host


def test_what_is_pushed_arrives(tmp_path: Path) -> None:
    host = pushed(tmp_path)
    assert host.said == [{"kind": "ready", "offset": 0}, {"kind": "pushed"}]
    assert host.file.read_bytes() == CONTENT and host.file.stat().st_mode & 0o077 == 0


def test_what_was_cut_is_gone_on_with(tmp_path: Path) -> None:
    cut = pushed(tmp_path, CONTENT[:400_000])
    assert cut.said[-1]["kind"] == "step-failed" and not cut.file.exists()
    again = Host(tmp_path, io.BytesIO(CONTENT[400_000:]))
    assert again.ask("look", artifacts=[WHAT])["have"] == {SHA: 400_000}
    again.ask("push", **WHAT)
    assert again.said[-2:] == [{"kind": "ready", "offset": 400_000}, {"kind": "pushed"}]
    assert again.file.read_bytes() == CONTENT


def test_what_was_damaged_is_not_kept(tmp_path: Path) -> None:
    host = pushed(tmp_path, CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    assert "damaged" in host.said[-1]["what"] and f"must be {SHA}" in host.said[-1]["why"]
    assert not list(host.file.parent.iterdir())


def test_what_an_earlier_run_left_is_not_believed_either(tmp_path: Path) -> None:
    host = pushed(tmp_path)
    assert Host(tmp_path).ask("look", artifacts=[WHAT]) | {"free": 0} == {
        "kind": "looked",
        "have": {SHA: len(CONTENT)},
        "free": 0,
        "damaged": [],
    }
    host.file.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    found = hashlib.sha256(host.file.read_bytes()).hexdigest()
    looked = Host(tmp_path).ask("look", artifacts=[WHAT])
    assert looked["have"] == {SHA: 0} and not host.file.exists()
    assert looked["damaged"] == [f"the SHA-256 of {host.file} is {found}, and must be {SHA}"]


def test_a_host_hands_on_what_is_still_arriving(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    first = Host(tmp_path / "first", os.fdopen(reading, "rb"))
    port = first.ask("serve", token="t")["port"]
    threading.Thread(target=first.ask, args=("push",), kwargs=WHAT, daemon=True).start()
    second = Host(tmp_path / "second")
    pull = threading.Thread(
        target=second.ask, args=("pull",), kwargs={**WHAT, "sources": [("127.0.0.1", port)], "token": "t"}
    )
    pull.start()
    half = len(CONTENT) // 2
    with os.fdopen(writing, "wb") as sending:
        sending.write(CONTENT[:half])
        sending.flush()
        part = Path(str(second.file) + ".part")
        ends = time.monotonic() + 10
        while not (part.exists() and part.stat().st_size == half) and time.monotonic() < ends:
            time.sleep(0.01)
        assert part.stat().st_size == half, "nothing was handed on before all of it was there"
        sending.write(CONTENT[half:])
    pull.join(10)
    assert second.said[-1]["kind"] == "pulled" and second.file.read_bytes() == CONTENT


@pytest.mark.parametrize("token", ["", "wrong", "t t"])
def test_nobody_without_the_token_gets_anything(tmp_path: Path, token: str) -> None:
    first = pushed(tmp_path / "first")
    port = first.ask("serve", token="t")["port"]
    second = Host(tmp_path / "second")
    answer = second.ask("pull", **WHAT, sources=[("127.0.0.1", port)], token=token)
    assert answer["kind"] == "not-pulled" and "127.0.0.1" in answer["why"]
    assert not second.file.exists()


def test_a_source_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    first = pushed(tmp_path / "first")
    port = first.ask("serve", token="t")["port"]
    second = Host(tmp_path / "second")
    assert second.ask("pull", **WHAT, sources=[("127.0.0.1", 1), ("127.0.0.1", port)], token="t")["kind"] == "pulled"


def test_a_network_that_refuses_is_told_and_is_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))

    monkeypatch.setattr("socket.create_connection", refuse)
    answer = Host(tmp_path).ask("pull", **WHAT, sources=[("10.1.1.1", 1)], token="t")
    assert answer == {"kind": "not-pulled", "why": f"10.1.1.1: {os.strerror(errno.EHOSTUNREACH)}"}


def test_a_full_disk_is_told_and_what_still_comes_is_not_taken_for_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("bramble.runner.transfer.Incoming.add", full)
    stdin = io.BytesIO(CONTENT + b"the next request")
    host = Host(tmp_path, stdin)
    answer = host.ask("push", **WHAT)
    assert answer["kind"] == "step-failed" and answer["why"] == os.strerror(errno.ENOSPC) and "df -h" in answer["hint"]
    assert stdin.read() == b"the next request"


def test_a_source_with_other_content_is_not_believed(tmp_path: Path) -> None:
    first = pushed(tmp_path / "first")
    first.file.write_bytes(bytes(len(CONTENT)))
    port = first.ask("serve", token="t")["port"]
    second = Host(tmp_path / "second")
    assert second.ask("pull", **WHAT, sources=[("127.0.0.1", port)], token="t")["kind"] == "not-pulled"
    assert not second.file.exists()


def test_tidied_nothing_stays(tmp_path: Path) -> None:
    host = pushed(tmp_path)
    host.ask("tidy")
    assert not host.file.parent.exists()
