"""Files come through the page's form whole or not at all, and without being held in memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.unit.test_rest.conftest import Callers

from bramble.rest.service import Service

EDGE = b"----edge"
FORM = {"Content-Type": "multipart/form-data; boundary=----edge"}
HEAD = b'------edge\r\nContent-Disposition: form-data; name="upload"; filename="a.tar"\r\n\r\n'
TAIL = b"\r\n------edge--\r\n"


def _names(service: Service) -> list[str]:
    return sorted(path.name for path in service.files.folder.iterdir())


@pytest.mark.parametrize(
    ("called", "kept"),
    [
        ("app.tar", "app.tar"), ("my app (1).tar.gz", "my-app-1-.tar.gz"), ("C:\\images\\app.tar", "app.tar"),
        ("../../etc/passwd", "passwd"), (".bashrc", "bashrc"), ("größe.tar", "gr-e.tar"),
    ],
)  # fmt: skip
async def test_a_file_is_brought(service: Service, callers: Callers, called: str, kept: str) -> None:
    answer = await callers("operator").post("/files", data={"other": "x"}, files={"upload": (called, b"what is in it")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/files")
    assert _names(service) == [kept]
    assert (service.files.folder / kept).read_bytes() == b"what is in it"
    assert kept in (await callers("operator").get("/files")).text
    assert (await callers("operator").post(f"/files/{kept}/remove")).status_code == 303
    assert _names(service) == []


@pytest.mark.parametrize(
    ("next", "leads"),
    [
        ("/clusters/red/do/restore?service=kubernetes", "/clusters/red/do/restore?service=kubernetes&file=a.tar"),
        ("/clusters/red/do/images_load", "/clusters/red/do/images_load?file=a.tar"),
        ("https://elsewhere.example/", "/?file=a.tar"), ("//elsewhere.example", "/?file=a.tar"),
    ],
)  # fmt: skip
async def test_it_leads_back_to_what_it_is_for(callers: Callers, next: str, leads: str) -> None:
    query = {"next": next, "option": "file"}
    answer = await callers("operator").post("/files", params=query, files={"upload": ("a.tar", b"x")})
    assert (answer.status_code, answer.headers["location"]) == (303, leads)


async def test_a_large_file_is_never_whole_in_memory(service: Service, callers: Callers) -> None:
    size, chunk = 64 * 2**20, bytes(256 * 1024)

    async def form() -> AsyncIterator[bytes]:
        yield HEAD
        for _ in range(size // len(chunk)):
            yield chunk
        yield TAIL

    operator = callers("operator")
    await operator.get("/files")
    tracemalloc.start()
    try:
        answer = await operator.post("/files", content=form(), headers=FORM)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 303, answer.text
    assert (service.files.folder / "a.tar").stat().st_size == size
    assert most < size / 4


async def test_a_file_comes_in_pieces_of_any_size(service: Service, callers: Callers) -> None:
    content = b"\r\n--" + EDGE + b"not\r\n" + bytes(range(256))

    async def form() -> AsyncIterator[bytes]:
        for byte in HEAD + content + TAIL:
            yield bytes([byte])

    assert (await callers("operator").post("/files", content=form(), headers=FORM)).status_code == 303
    assert (service.files.folder / "a.tar").read_bytes() == content


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (HEAD + b"half of it", 400), (HEAD, 400), (b"", 400), (b"no form at all, but long enough to be one", 400),
        (b'------edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nb' + TAIL, 422),
    ],
)  # fmt: skip
async def test_half_a_form_is_no_file(service: Service, callers: Callers, body: bytes, status: int) -> None:
    answer = await callers("operator").post("/files", content=body, headers=FORM)
    assert (answer.status_code, "<h1>" in answer.text) == (status, True), answer.text
    assert _names(service) == []


async def test_what_is_no_form_or_names_no_file_is_refused(service: Service, callers: Callers) -> None:
    operator = callers("operator")
    assert (await operator.post("/files", data={"upload": "x"})).status_code == 422
    assert (await operator.post("/files", files={"upload": ("...", b"x")})).status_code == 422
    # As browsers send a form in which nothing was chosen.
    empty = HEAD.replace(b"a.tar", b"") + TAIL
    assert "no file was chosen" in (await operator.post("/files", content=empty, headers=FORM)).text
    assert _names(service) == []


async def test_who_may_not_sends_nothing(service: Service, callers: Callers) -> None:
    read = 0

    async def form() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield bytes(2**20)

    for role, status in {"": 303, "viewer": 403, "device": 403}.items():
        answer = await callers(role).post("/files", content=form(), headers=FORM)
        assert answer.status_code == status
    assert read < 10
    assert _names(service) == []


async def test_a_file_that_is_too_large_is_not_kept(service: Service, callers: Callers) -> None:
    service.files.largest = 1000
    answer: httpx.Response = await callers("operator").post("/files", files={"upload": ("a.tar", bytes(1001))})
    assert (answer.status_code, "larger than 1.0 kB" in answer.text) == (413, True)
    assert _names(service) == []


async def test_other_forms_of_the_page_stay_small(callers: Callers) -> None:
    answer = await callers("operator").post("/clusters", data={"cluster": "x" * 2**20, "hosts": "red"})
    assert answer.status_code == 413
