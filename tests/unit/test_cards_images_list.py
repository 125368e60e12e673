"""The image list: what it becomes by which names, its faults, its copies; from a real server and without one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests import imagelist
from tests.fileserver import FileServer, serving, without_proxies

from bramble.cards.images import OFFICIAL, VARIABLE, Catalogue, Image, catalogue, folder, resolve
from bramble.cards.images.listing import read
from bramble.cards.images.names import named
from bramble.cards.init_format import InitFormat
from bramble.errors import BrambleError, UsageError
from bramble.runner.events import Event, Note

LIST, UBUNTU = "/os_list.json", "/ubuntu/list.json"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    without_proxies(monkeypatch)
    with serving() as started:
        started.files[LIST] = imagelist.text(imagelist.usual(started.url(UBUNTU)))
        started.files[UBUNTU] = imagelist.text({"os_list": imagelist.ubuntus()})
        started.tags = {LIST: '"1"', UBUNTU: '"1"'}
        monkeypatch.setenv(VARIABLE, started.url(LIST))
        yield started


def looked(**how: bool) -> Catalogue:
    return asyncio.run(catalogue(**how))


def names(of: Catalogue) -> set[str]:
    return {image.name for image in of.images}


def listed(*entries: object) -> tuple[tuple[Image, ...], tuple[str, ...]]:
    found = read(imagelist.text({"os_list": entries}), "https://example.org/list.json")
    return named(found.images), found.remarks


def age(seconds: float) -> None:
    """Make every copy that much older."""
    for path in (folder() / "lists").iterdir():
        copy = json.loads(path.read_text())
        path.write_text(json.dumps({**copy, "current": time.time() - seconds}))


# What a list becomes


def test_names_are_short_and_told_from_the_list(snapshot: SnapshotAssertion) -> None:
    found = named(read(imagelist.text(imagelist.usual()), OFFICIAL).images)
    lines = [
        f"{'*' if one.usual else ' '} {one.name:25} {one.architecture:6} {one.init_format!s:14} {' '.join(one.aliases)}"
        for one in found
    ]
    assert "\n".join(lines) == snapshot
    every = [name for one in found for name in (one.name, *one.aliases)]
    assert len(every) == len(set(every))


def test_names_move_on_with_releases_and_their_long_forms_do_not() -> None:
    old = imagelist.raspios("lite", "arm64", legacy=True)
    new = json.loads(json.dumps(imagelist.raspios("lite", "arm64")).replace("trixie", "forky"))
    older = json.loads(json.dumps(old).replace("2025-11-24", "2025-05-13"))
    point = imagelist.ubuntu("server", "26.04.1", "resolute")
    early = imagelist.ubuntu("server", "26.04", "resolute")
    images, _ = listed(older, old, new, early, point)
    assert {one.name: one.url.rpartition("/")[2] for one in images} == {
        "raspios-lite": "2025-11-24-raspios-forky-arm64-lite.img.xz",
        "raspios-lite-bookworm": "2025-11-24-raspios-bookworm-arm64-lite.img.xz",
        "raspios-lite-bookworm-2025-05-13": "2025-05-13-raspios-bookworm-arm64-lite.img.xz",
        "ubuntu-26.04": "ubuntu-26.04.1-preinstalled-server-arm64+raspi.img.xz",
        "ubuntu-26.04-2": "ubuntu-26.04-preinstalled-server-arm64+raspi.img.xz",
    }


def test_only_the_makers_own_is_called_raspios() -> None:
    images, _ = listed(imagelist.entry("My OS", "https://x.org/2025-11-24-raspios-trixie-arm64-lite.img.xz"))
    assert images[0].name == "my-os" and not images[0].usual


@pytest.mark.parametrize(
    ("facts", "architecture"),
    [
        ({"architecture": "armv8"}, "arm64"),
        ({"architecture": "armv6"}, "armhf"),
        ({"url": "https://x.org/aarch64/a.img.xz"}, "arm64"),
        ({"devices": ["pi1-32bit", "pi2-32bit"]}, "armhf"),
        ({"devices": ["pi5-64bit", "pi4-32bit"]}, "arm64"),
        ({}, ""),
    ],
)
def test_the_architecture_is_found_wherever_the_list_tells_it(facts: dict[str, Any], architecture: str) -> None:
    images, _ = listed(imagelist.entry("One", **{"url": "https://x.org/a.img.xz", **facts}))
    assert images[0].architecture == architecture


@pytest.mark.parametrize(
    ("entry", "remark"),
    [
        ("nothing", "passed over: url"),
        (17, "passed over: url"),
        ({"url": "https://x.org/a.img"}, "an entry without a name: passed over: name"),
        ({"name": "A"}, "A: passed over: url"),
        ({"name": "A", "url": "ftp://x.org/a.img"}, "A: passed over: nothing can be fetched from ftp://x.org/a.img"),
        ({"name": "A", "url": "file:///etc/passwd"}, "A: passed over: nothing can be fetched from file:///etc/passwd"),
        ({"name": "A", "url": "https://x.org/a", "extract_sha256": "abc"}, "A: passed over: extract_sha256"),
        ({"name": "A", "url": "https://x.org/a", "extract_size": -1}, "A: passed over: extract_size"),
        ({"name": "A", "url": "https://x.org/a", "devices": "pi5"}, "A: passed over: devices"),
        ({"name": "A", "subitems_url": "file:///etc/passwd"}, "A: passed over: nothing can be fetched from"),
    ],
)
def test_an_entry_with_a_fault_costs_no_other(entry: object, remark: str) -> None:
    images, remarks = listed(imagelist.raspios("lite", "arm64"), entry, imagelist.raspios("", "arm64"))
    assert [one.name for one in images] == ["raspios", "raspios-lite"]
    assert len(remarks) == 1 and remark in remarks[0]


def test_a_way_that_nobody_knows_is_none() -> None:
    images, remarks = listed(imagelist.raspios("lite", "arm64", init_format="rpi-preseed"))
    assert images[0].init_format is InitFormat.NONE and not images[0].usual
    assert remarks == ("Raspberry Pi OS Lite (64-bit): bramble does not know its init_format 'rpi-preseed'",)


def test_what_is_left_out_or_null_is_not_known() -> None:
    gone = dict.fromkeys(
        ("extract_size", "extract_sha256", "image_download_size", "release_date", "init_format", "icon")
    )
    images, remarks = listed(imagelist.raspios("lite", "arm64") | gone | {"image_download_sha256": ""})
    one = images[0]
    assert (one.extract_size, one.extract_sha256, one.download_sha256, one.released) == (0, "", "", "")
    assert one.init_format is InitFormat.NONE and not remarks


@pytest.mark.parametrize(
    "text",
    [b"", b"<html>Sign in</html>", b"[]", b"{}", b'{"os_list": 1}', b'{"os_list": ' + b"[" * 99999, b"\xff\xfe"],
    ids=["empty", "page", "array", "object", "number", "deep", "bytes"],
)
def test_what_is_no_list_is_refused(text: bytes) -> None:
    with pytest.raises(BrambleError, match="is no list of images"):
        read(text, OFFICIAL)


# Its copies


def test_a_list_and_what_it_refers_to_are_asked_for_once_a_day(server: FileServer) -> None:
    found = looked()
    assert {"raspios-lite", "ubuntu-24.04"} <= names(found) and not found.stale and not found.remarks
    assert sorted(path for path, _ in server.asked) == [LIST, UBUNTU]
    assert names(looked()) == names(found) and len(server.asked) == 2
    looked(refresh=True)
    assert len(server.asked) == 4
    age(90_000)
    found = looked()
    assert len(server.asked) == 6 and time.time() - found.current < 60  # answered with 304, and good for another day
    looked()
    assert len(server.asked) == 6


def test_a_new_list_is_taken(server: FileServer) -> None:
    looked()
    server.files[LIST] = imagelist.text({"os_list": [imagelist.raspios("full", "arm64")]})
    server.tags[LIST] = '"2"'
    assert names(looked(refresh=True)) == {"raspios-full"} == names(looked())


@pytest.mark.parametrize("fault", ["down", "gone", "page"])
def test_without_it_the_copy_is_used_and_its_age_told(server: FileServer, fault: str) -> None:
    before = names(looked())
    age(3 * 86_400)
    if fault == "down":
        server.go_away()
    elif fault == "gone":
        server.files.clear()
    else:
        server.files[LIST], server.tags[LIST] = b"<html>Sign in to this hotspot</html>", '"2"'
    found = looked()
    assert names(found) == before and found.stale
    told: list[Event] = []
    assert asyncio.run(resolve("raspios-lite", told.append)).name == "raspios-lite"
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() - 3 * 86_400))
    assert isinstance(told[0], Note) and f"is of {day}" in told[0].text and server.url(LIST) in told[0].text


def test_without_it_and_a_copy_it_says_what_to_do(server: FileServer) -> None:
    server.go_away()
    with pytest.raises(BrambleError) as error:
        looked()
    assert server.url(LIST) in error.value.what and error.value.why
    assert VARIABLE in error.value.hint and "--image FILE" in error.value.hint


def test_a_part_that_cannot_be_had_costs_no_other(server: FileServer) -> None:
    del server.files[UBUNTU]
    found = looked()
    assert "raspios-lite" in names(found) and "ubuntu-24.04" not in names(found)
    assert "404" in found.remarks[0] and found.remarks[0].startswith("Ubuntu: ")
    with pytest.raises(UsageError, match=r"there is no image 'ubuntu-24\.04'") as error:
        found.find("ubuntu-24.04")
    assert "have faults (bramble cards images --all)" in error.value.why


def test_lists_that_lead_to_each_other_come_to_an_end(server: FileServer) -> None:
    server.files[UBUNTU] = imagelist.text({"os_list": [{"name": "Up", "subitems_url": server.url(LIST)}]})
    assert not any(name.endswith("-2") for name in names(looked()))
    assert len(server.asked) == 2


def test_a_damaged_copy_is_none(server: FileServer) -> None:
    looked()
    for path in (folder() / "lists").iterdir():
        path.write_text("{")
    assert "raspios-lite" in names(looked()) and len(server.asked) == 4


def test_a_file_is_a_list_too_and_may_name_files_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "class room").mkdir()
    (tmp_path / "class room/ours.img").write_bytes(b"image")
    (tmp_path / "class room/list.json").write_bytes(
        imagelist.text({"os_list": [{"name": "Ours", "url": "ours.img", "init_format": "systemd"}]})
    )
    monkeypatch.setenv(VARIABLE, str(tmp_path / "class room/list.json"))
    one = asyncio.run(resolve("ours", print))
    assert isinstance(one, Image) and one.url == (tmp_path / "class room/ours.img").as_uri()
    monkeypatch.setenv(VARIABLE, "none.json")
    with pytest.raises(BrambleError, match=r"none\.json cannot be read"):
        looked()


# Choosing


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("raspois-lite", "did you mean raspios-lite or "),
        ("noble", "bramble cards images lists them"),
        ("lite", "did you mean raspios-lite"),
        ("zzz", "the file of that name is --image ./zzz; "),
    ],
)
def test_near_misses_are_named(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, hint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zzz").touch()
    with pytest.raises(UsageError, match=f"there is no image '{given}'") as error:
        asyncio.run(resolve(given, print))
    assert hint in error.value.hint


@pytest.mark.parametrize("given", ["raspios-lite-trixie", "Raspios-Lite", "raspios-lite-trixie-2025-11-24"])
def test_an_image_has_further_names(server: FileServer, given: str) -> None:
    assert asyncio.run(resolve(given, print)).name == "raspios-lite"


def test_without_a_word_the_list_is_imagers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(BrambleError) as error:
        looked()
    assert OFFICIAL in error.value.what


def test_a_list_over_tls_is_believed_only_from_who_it_should_come(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path) as secure:
        secure.files[LIST] = imagelist.text({"os_list": [imagelist.raspios("lite", "arm64")]})
        secure.redirects["/moved"] = server.url(LIST)
        monkeypatch.setenv(VARIABLE, secure.url(LIST))
        with pytest.raises(BrambleError) as error:
            looked()
        assert "certificate" in error.value.why.lower()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert names(looked()) == {"raspios-lite"}
        monkeypatch.setenv(VARIABLE, secure.url("/moved"))
        with pytest.raises(BrambleError, match="list of images") as error:
            looked()
        assert "without TLS" in error.value.why
