"""Images: fetched from a real server that cuts, lies and changes its mind; believed by hashes; once for all runs."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import itertools
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fileserver import FileServer, impatient, serving, without_proxies

from bramble.cards.images import Image, LocalImage, Shelf, fetch, folder, forget, resolve
from bramble.engine import web
from bramble.errors import BrambleError, UsageError
from bramble.runner.events import Event, ImageProgress, Note

PATH, CONTENT = "/pi/small.img.xz", random.Random(7).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    impatient(monkeypatch)
    without_proxies(monkeypatch)
    with serving() as started:
        started.files[PATH] = CONTENT
        yield started


class Told(list[Event]):
    """What was said."""

    @property
    def text(self) -> str:
        return "\n".join(event.text for event in self if isinstance(event, ImageProgress | Note))

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self if isinstance(event, Note)]


def image(url: str, **facts: object) -> Image:
    known = Image(name="small", title="Small", url=url, download_sha256=SHA256, extract_sha256="e" * 64)
    return dataclasses.replace(known, **facts)  # type: ignore[arg-type]


def fetched(one: Image | LocalImage) -> tuple[Path, Told]:
    told = Told()
    return asyncio.run(fetch(one, told.append)), told


def refused(one: Image | LocalImage) -> BrambleError:
    with pytest.raises(BrambleError) as error:
        fetched(one)
    return error.value


def left() -> list[str]:
    """Files that are not on the shelf."""
    return sorted(path.name for path in (folder() / "work").rglob("*") if path.is_file())


def test_it_is_fetched_once_under_its_makers_name(server: FileServer) -> None:
    path, told = fetched(image(server.url(PATH)))
    assert path.read_bytes() == CONTENT and path.name == "small.img.xz" and path.parent.name.startswith(SHA256)
    assert "fetches 0.3 MB from 127.0.0.1" in told.text and not told.notes
    assert fetched(image(server.url(PATH)))[0] == path
    assert server.asked == [(PATH, "")] and not left()


def test_the_same_bytes_of_two_images_do_not_depend_on_each_other(server: FileServer) -> None:
    """Where the list tells the hash, the address does not matter: makers move files."""
    server.files["/mirror.img"] = CONTENT
    one, other = image(server.url(PATH), download_sha256=""), image(server.url("/mirror.img"), download_sha256="")
    assert fetched(one)[0] != fetched(other)[0]
    forget(other)
    server.asked.clear()
    assert fetched(one)[0].read_bytes() == CONTENT
    assert fetched(image(server.url("/moved.img")))[0].read_bytes() == CONTENT
    assert not server.asked


def test_after_a_cut_only_the_rest_is_asked_for(server: FileServer) -> None:
    server.faults = ["cut", "cut"]
    path, told = fetched(image(server.url(PATH)))
    assert path.read_bytes() == CONTENT
    assert [part for _, part in server.asked] == ["", "bytes=150000-", "bytes=225000-"]
    assert told.text.count("another try") == 2


def test_progress_is_told_in_bytes(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TICK", 0.0)
    _, told = fetched(image(server.url(PATH)))
    seen = [event for event in told if isinstance(event, ImageProgress) and event.done]
    assert seen[-1].done == seen[-1].total == len(CONTENT) and "of 0 MB" in seen[-1].text
    assert all(before.done < after.done for before, after in itertools.pairwise(seen))


@pytest.mark.parametrize("lie", ["whole", "other part"])
def test_a_server_without_parts_is_asked_from_the_start(server: FileServer, lie: str) -> None:
    server.faults = ["cut", lie]
    assert fetched(image(server.url(PATH)))[0].read_bytes() == CONTENT


@pytest.mark.parametrize("hashed", [True, False])
@pytest.mark.parametrize("tag", ["", "strong", "weak"])
def test_a_file_that_changes_in_between_is_not_joined(server: FileServer, hashed: bool, tag: str) -> None:
    """Where nothing would tell halves of two files, the server must, or it comes anew."""
    marks = {"": "", "strong": '"new"', "weak": 'W/"new"'}
    server.files[PATH] = CONTENT[::-1]
    server.tags[PATH] = marks[tag].replace("new", "old")
    server.faults = ["cut", *["busy"] * (web.TRIES - 1)]
    one = image(server.url(PATH), **({} if hashed else {"download_sha256": ""}))
    if not hashed:
        server.files[f"{PATH}.sha256"] = b"what is this?"
        server.faults.insert(0, "")
    assert "503" in refused(one).why
    server.files[PATH], server.tags[PATH], server.faults = CONTENT, marks[tag], []
    server.asked.clear()
    assert fetched(one)[0].read_bytes() == CONTENT
    asked = [part for path, part in server.asked if path == PATH]
    assert asked[0] == ("bytes=150000-" if hashed or tag == "strong" else "")
    assert len(asked) == (2 if hashed and tag != "strong" else 1), (
        "a server that knows its file sends all of it at once"
    )


def test_without_a_hash_the_same_file_is_gone_on_with_by_its_mark(server: FileServer) -> None:
    server.tags[PATH] = '"1"'
    one = image(server.url(PATH), download_sha256="")
    server.faults = ["cut"]
    assert fetched(one)[0].read_bytes() == CONTENT
    assert [part for path, part in server.asked if path == PATH] == ["", "bytes=150000-"]


def test_wrong_bytes_are_thrown_away(server: FileServer) -> None:
    server.faults = ["wrong"]
    error = refused(image(server.url(PATH)))
    assert error.what == "small: it is not what it must be, and was thrown away"
    assert server.url(PATH) in error.why and SHA256 in error.why
    assert not left() and not Shelf(folder()).all()


@pytest.mark.parametrize("fault", ["gone", "down"])
def test_what_cannot_be_had_is_told_with_its_place(server: FileServer, fault: str) -> None:
    one = image(server.url(PATH))
    if fault == "gone":
        server.files.clear()
    else:
        server.go_away()
    error = refused(one)
    assert server.url(PATH) in error.what and error.why
    assert ("--refresh" if fault == "gone" else "--image FILE") in error.hint


def test_the_hash_that_lies_beside_it_is_asked_where_the_list_has_none(server: FileServer) -> None:
    one = image(server.url(PATH), download_sha256="")
    server.files[f"{PATH}.sha256"] = f"{SHA256}  small.img.xz\n".encode()
    path, told = fetched(one)
    assert path.parent.name.startswith(SHA256) and not told.notes and Shelf(folder()).all()[0].checked
    forget(one)
    server.files[PATH] = CONTENT[::-1]
    assert "not what it must be" in refused(one).what


def test_an_address_that_nothing_vouches_for_is_said_to_be_so(server: FileServer) -> None:
    one = asyncio.run(resolve(server.url(PATH), print))
    path, told = fetched(one)
    assert path.read_bytes() == CONTENT
    assert any("no hash vouches for it" in note and SHA256 in note for note in told.notes)
    assert any(SHA256 in note for note in fetched(one)[1].notes)


@pytest.mark.parametrize("told_by", ["hash", "mark", "size"])
def test_another_file_at_the_same_address_is_seen(server: FileServer, told_by: str) -> None:
    def serve(content: bytes) -> None:
        server.files[PATH] = content
        if told_by == "hash":
            server.files[f"{PATH}.sha256"] = f"{hashlib.sha256(content).hexdigest()}  small.img.xz".encode()
        if told_by == "mark":
            server.tags[PATH] = f'"{hashlib.sha256(content).hexdigest()}"'

    one = asyncio.run(resolve(server.url(PATH), print))
    serve(CONTENT)
    fetched(one)
    assert fetched(one)[0].read_bytes() == CONTENT and len(Shelf(folder()).all()) == 1
    other = CONTENT[::-1] if told_by != "size" else CONTENT[1:]
    serve(other)
    path, told = fetched(one)
    assert path.read_bytes() == other and "fetches 0.3 MB" in told.text
    assert [kept.path for kept in Shelf(folder()).all()] == [path]
    server.go_away()
    path, told = fetched(one)
    assert path.read_bytes() == other
    assert any("whether there is a newer one cannot be told" in note for note in told.notes)


def test_a_page_instead_of_an_image_is_seen_by_its_size(server: FileServer) -> None:
    server.files[PATH] = b"<html>Sign in to this hotspot</html>"
    error = refused(image(server.url(PATH), download_sha256="", download_size=len(CONTENT)))
    assert "another size" in error.what and "sign in" in error.hint


def test_what_was_changed_here_comes_anew(server: FileServer) -> None:
    path, _ = fetched(image(server.url(PATH)))
    path.write_bytes(CONTENT[::-1])
    again, told = fetched(image(server.url(PATH)))
    assert again.read_bytes() == CONTENT and "was changed" in told.notes[0]
    os.utime(path)  # touched, but the same: read once, and believed
    assert fetched(image(server.url(PATH)))[1] == [] and len(server.asked) == 2


def test_a_disk_that_is_too_small_is_told_before_the_bytes_come(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 9 * 10**5, 10**5))
    error = refused(image(server.url(PATH)))
    assert "too little room" in error.what and "bramble cards images clean" in error.hint
    assert not left()


def test_two_runs_at_once_fetch_it_once(server: FileServer) -> None:
    told = Told()

    async def both() -> list[Path]:
        return await asyncio.gather(*(fetch(image(server.url(PATH)), told.append) for _ in range(2)))

    first, second = asyncio.run(both())
    assert first == second and len(server.asked) == 1
    assert "waits for another run" in told.text


def test_an_interrupt_leaves_what_can_be_gone_on_with(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.faults = ["hang"]
    monkeypatch.setattr(web, "SILENCE", 30.0)
    shelf = Shelf(folder())

    async def interrupted() -> None:
        running = asyncio.create_task(fetch(image(server.url(PATH)), print))
        while list(shelf.parts().values()) != [150_000]:
            await asyncio.wait([running], timeout=0.01)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    asyncio.run(asyncio.wait_for(interrupted(), 20))
    assert list(shelf.parts().values()) == [150_000] and not shelf.all()
    assert fetched(image(server.url(PATH)))[0].read_bytes() == CONTENT
    assert server.asked[-1] == (PATH, "bytes=150000-")


# Files of the user's own


def test_a_file_is_taken_where_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "mine.img"
    file.write_bytes(CONTENT)
    one = asyncio.run(resolve(str(file), print))
    assert one == LocalImage(path=file)
    path, told = fetched(one)
    assert path == file and SHA256 in told.notes[0]
    (tmp_path / "mine.img.sha256").write_text(f"{SHA256}  mine.img\n")
    assert fetched(one)[1] == []
    file.write_bytes(b"cut off")
    error = refused(one)
    assert "not what it must be" in error.what and "mine.img.sha256" in error.why


def test_a_folder_stands_for_the_only_image_in_it(tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    with pytest.raises(UsageError, match="there is no image in"):
        asyncio.run(resolve(str(tmp_path), print))
    (tmp_path / "one.img.xz").touch()
    (tmp_path / "one.img.xz.sha256").touch()
    assert asyncio.run(resolve(f"{tmp_path}/", print)) == LocalImage(path=tmp_path / "one.img.xz")
    (tmp_path / "two.zip").touch()
    with pytest.raises(UsageError, match="there are 2 images in") as error:
        asyncio.run(resolve(str(tmp_path), print))
    assert error.value.why == "one.img.xz, two.zip" and error.value.hint == f"--image {tmp_path}/two.zip"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("./none.img", "there is no file none.img"),
        ("none.img.xz", "there is no file none.img.xz"),
        ("/dev/null", "/dev/null is no file"),
        ("ftp://x/y.img", "is no address"),
        ("https:///y.img", "is no address"),
        (" ", "no image is named"),
    ],
)
def test_what_is_no_image_is_told(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        asyncio.run(resolve(text, print))
