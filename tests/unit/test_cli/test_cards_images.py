"""`bramble cards images`: the list, having images, and taking them away, as a user sees it."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests import imagelist
from tests.fileserver import FileServer, serving, without_proxies
from tests.unit.test_cli.support import Cli

from bramble.cards.images import VARIABLE, at_hand
from bramble.cli.complete import card_images
from bramble.engine import web

CONTENT = random.Random(9).randbytes(3_000_000)


def ours(server: FileServer, release: str = "trixie", day: str = "2025-11-24") -> dict[str, Any]:
    """Raspberry Pi OS Lite, as this server has it."""
    path = f"/{day}-raspios-{release}-arm64-lite.img.xz"
    server.files[path] = CONTENT + release.encode()
    digest = hashlib.sha256(server.files[path]).hexdigest()
    facts = {"url": server.url(path), "image_download_sha256": digest, "image_download_size": len(server.files[path])}
    return {**imagelist.raspios("lite", "arm64"), **facts, "release_date": day}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(web, "PAUSE", 0.01)
    without_proxies(monkeypatch)
    with serving() as started:
        listed = imagelist.usual()
        listed["os_list"] = [*listed["os_list"], {"name": "Broken", "url": 7}]
        listed["os_list"][3]["subitems"][0] = ours(started)
        started.files["/list.json"] = imagelist.text(listed)
        monkeypatch.setenv(VARIABLE, started.url("/list.json"))
        yield started


def newer(server: FileServer) -> None:
    """Another Raspberry Pi OS comes out."""
    server.files["/list.json"] = imagelist.text({"os_list": [ours(server, "forky", "2027-11-01")]})


def test_the_list_is_a_table(server: FileServer, cli: Cli, snapshot: SnapshotAssertion) -> None:
    assert cli("cards", "images").whole == snapshot
    every = cli("cards", "images", "--all")
    assert "alpine-linux-3.22.2-32 " in every.out
    assert every.err == "note: Broken: passed over: url: Input should be a valid string\n"


def test_the_list_for_programs_tells_all_of_an_image(server: FileServer, cli: Cli, snapshot: SnapshotAssertion) -> None:
    lines = cli("cards", "images", "list", "--json").out.splitlines()
    found = {one["name"]: one for one in map(json.loads, lines)}
    assert found["raspios-lite-bookworm"] == snapshot


def test_an_image_is_fetched_shown_and_taken_away(server: FileServer, cli: Cli) -> None:
    ended = cli("cards", "images", "fetch", "raspios-lite-trixie")
    assert ended.code == 0 and ended.out.startswith("raspios-lite is here, 3 MB: /")
    assert Path(ended.out.split()[-1]).read_bytes() == CONTENT + b"trixie"
    assert ended.err == "raspios-lite: fetches 3.0 MB from 127.0.0.1\nraspios-lite: checks it\n"
    line = next(line for line in cli("cards", "images").out.splitlines() if line.startswith("raspios-lite "))
    assert line.split()[7:9] == ["cloud-init", "yes"]
    server.server_close()  # a classroom without a network
    assert cli("cards", "images", "fetch", "raspios-lite").err == ""
    assert cli("cards", "images", "clean", "raspios-lite").out == "3 MB are free again\n"
    assert "3 MB are here" not in cli("cards", "images").out


def test_what_has_a_newer_one_is_told_and_can_go_alone(server: FileServer, cli: Cli) -> None:
    server.files["/own.img"] = CONTENT
    cli("cards", "images", "fetch", "raspios-lite", server.url("/own.img"))
    assert cli("cards", "images", "clean", "--outdated").out == "0 MB are free again\n"
    newer(server)
    out = cli("cards", "images", "--refresh").out
    others = out.partition("Not of this list, or replaced by newer ones:\n")[2]
    assert "2025-11-24-raspios-trixie" in others and "own.img" in others
    cli("cards", "images", "fetch", "raspios-lite")
    assert cli("cards", "images", "clean", "--outdated").out == "3 MB are free again\n"
    out = cli("cards", "images").out
    assert "2025-11-24-raspios-trixie" not in out and "own.img" in out and " yes " in out
    assert "6 MB are here" in out
    assert cli("cards", "images", "clean").out == "6 MB are free again\n"


def test_what_was_cut_off_is_told_gone_on_with_or_taken_away(server: FileServer, cli: Cli) -> None:
    cli("cards", "images")
    server.faults = ["cut", *["busy"] * web.TRIES]
    ended = cli("cards", "images", "fetch", "raspios-lite")
    assert ended.code == 1 and ended.err.count("503") >= 1 and "hint: " in ended.err
    server.faults = []
    assert " in part " in cli("cards", "images").out
    assert cli("cards", "images", "clean").out == "1 MB are free again\n"
    assert " in part " not in cli("cards", "images").out


def test_a_misspelt_image_costs_no_download(server: FileServer, cli: Cli) -> None:
    ended = cli("cards", "images", "fetch", "raspios-lite", "raspios-lit")
    assert ended.code == 2 and "did you mean raspios-lite" in ended.err
    assert len(server.asked) == 1
    ended = cli("cards", "images", "clean", "raspios-lite")
    assert ended.code == 2 and ended.err == "error: no image 'raspios-lite' is here\nhint: here are: none\n"


def test_tab_offers_names_without_asking_for_the_list(server: FileServer, cli: Cli) -> None:
    assert at_hand() == () and not server.asked
    cli("cards", "images")
    server.asked.clear()
    offered = card_images(None, None, "raspios-lite-t")  # type: ignore[arg-type]
    assert offered == [
        "raspios-lite-trixie",
        "raspios-lite-trixie-2025-11-24",
        "raspios-lite-trixie-32",
        "raspios-lite-trixie-2025-11-24-32",
    ]
    assert not server.asked
