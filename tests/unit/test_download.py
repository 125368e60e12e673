"""Release files: fetched from a real server that cuts, lies, hangs and is not there; believed by their hash alone."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import hashlib
import io
import lzma
import random
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.fileserver import FileServer, impatient, serving, without_proxies

from bramble.artifact import Artifact, Download
from bramble.engine import web
from bramble.engine.artifacts import Fetcher, Store
from bramble.engine.artifacts.sums import published
from bramble.errors import BrambleError
from bramble.services.kubernetes import programs

PATH, CONTENT = "/v1/program", random.Random(7).randbytes(300_000)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    impatient(monkeypatch)
    without_proxies(monkeypatch)
    with serving() as started:
        started.files[PATH] = CONTENT
        yield started


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def hash_of(content: bytes, kind: str = "sha256") -> str:
    return f"{kind}:{hashlib.new(kind, content).hexdigest()}"


def release(*urls: str, name: str = "program", digest: str = hash_of(CONTENT), **source: Any) -> Artifact:
    given = Download(urls=urls, digest="" if "sums" in source else digest, **source)
    return Artifact(name=f"one/{name}", version="1", architecture="arm64", source=given)


class Fetched(NamedTuple):
    contents: list[bytes]
    said: list[str]


def fetch(store: Store, *artifacts: Artifact) -> Fetched:
    said: list[str] = []
    found = asyncio.run(Fetcher(store, lambda _, text: said.append(text)).fetch(artifacts))
    return Fetched([store.path(found[one.id].sha256).read_bytes() for one in artifacts], said)


def refused(store: Store, *artifacts: Artifact) -> BrambleError:
    with pytest.raises(BrambleError) as error:
        fetch(store, *artifacts)
    assert not list(store.all())
    return error.value


@pytest.mark.parametrize("kind", ["sha256", "sha512"])
def test_it_is_fetched_once_and_told(server: FileServer, store: Store, kind: str) -> None:
    one = release(server.url(PATH), digest=hash_of(CONTENT, kind))
    contents, said = fetch(store, one)
    assert contents == [CONTENT]
    assert said[0] == "fetches 0.3 MB from 127.0.0.1"
    assert fetch(store, one).contents == [CONTENT]
    assert server.asked == [(PATH, "")]
    assert not list((store.folder / "work").iterdir())


def test_after_a_cut_only_the_rest_is_asked_for(server: FileServer, store: Store) -> None:
    server.faults = ["cut", "cut"]
    contents, said = fetch(store, release(server.url(PATH)))
    assert contents == [CONTENT]
    assert [part for _, part in server.asked] == ["", "bytes=150000-", "bytes=225000-"]
    assert sum("another try" in text for text in said) == 2


def test_what_an_earlier_run_left_is_gone_on_with(server: FileServer, store: Store) -> None:
    server.faults = ["cut"] + ["busy"] * (web.TRIES - 1)
    assert "503" in refused(store, release(server.url(PATH))).why
    server.asked.clear()
    assert fetch(store, release(server.url(PATH))).contents == [CONTENT]
    assert server.asked == [(PATH, "bytes=150000-")]


def test_what_was_through_but_not_looked_at_is_not_fetched_again(server: FileServer, store: Store) -> None:
    one = release(server.url(PATH))
    (store.workshop(one) / "download.part").write_bytes(CONTENT)
    assert fetch(store, one).contents == [CONTENT]
    assert server.asked == [(PATH, "bytes=300000-")]


@pytest.mark.parametrize("left", [b"of another file", CONTENT + b"and more", bytes(len(CONTENT))])
def test_halves_of_two_files_are_no_reason_to_give_up(server: FileServer, store: Store, left: bytes) -> None:
    one = release(server.url(PATH))
    (store.workshop(one) / "download.part").write_bytes(left)
    assert fetch(store, one).contents == [CONTENT]
    assert server.asked[-1] == (PATH, "")


@pytest.mark.parametrize("lie", ["whole", "other part"])
def test_a_server_that_sends_another_part_is_seen_through(server: FileServer, store: Store, lie: str) -> None:
    server.faults = ["cut", lie]
    assert fetch(store, release(server.url(PATH))).contents == [CONTENT]


def test_a_server_that_falls_silent_is_tried_again(server: FileServer, store: Store) -> None:
    server.faults = ["hang", "busy"]
    contents, said = fetch(store, release(server.url(PATH)))
    assert contents == [CONTENT]
    assert any("no byte came" in text for text in said)


def test_one_that_stays_busy_is_given_up(server: FileServer, store: Store) -> None:
    server.faults = ["busy"] * 9
    error = refused(store, release(server.url(PATH)))
    assert error.what == f"one/program 1 (arm64): {server.url(PATH)} cannot be had"
    assert "503" in error.why
    assert len(server.asked) == web.TRIES


def test_wrong_bytes_stop_everything_and_stay_nowhere(server: FileServer, store: Store) -> None:
    server.faults = ["wrong", "wrong"]
    error = refused(store, release(server.url(PATH), server.url("/mirror")))
    assert "not what it must be, and nothing was touched" in error.what
    assert server.url(PATH) in error.why and hash_of(CONTENT) in error.why
    assert not list(store.folder.rglob("*.part")) and [path for path, _ in server.asked] == [PATH]


def test_what_is_not_there_is_told_with_its_place(server: FileServer, store: Store) -> None:
    error = refused(store, release(server.url("/v2/program")))
    assert server.url("/v2/program") in error.what and "404" in error.why
    assert len(server.asked) == 1


def test_the_next_place_is_asked_where_one_does_not_have_it(server: FileServer, store: Store) -> None:
    assert fetch(store, release(server.url("/old"), server.url(PATH))).contents == [CONTENT]
    assert "none of 2 places" in refused(Store(store.folder / "2"), release(server.url("/a"), server.url("/b"))).what


def test_without_a_network_it_says_what_to_do(server: FileServer, store: Store) -> None:
    nowhere = server.url(PATH)
    server.go_away()
    error = refused(store, release(nowhere))
    assert nowhere in error.what and error.why
    assert "HTTPS_PROXY" in error.hint and "artifacts import" in error.hint


def test_a_disk_that_is_too_small_is_told_before_the_bytes_come(
    server: FileServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 9 * 10**5, 10**5))
    error = refused(store, release(server.url(PATH)))
    assert "too little room" in error.what and "XDG_CACHE_HOME" in error.hint
    assert not list(store.folder.rglob("*.part"))


def test_a_proxy_of_the_environment_is_gone_through(
    server: FileServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url(""))
    server.files["http://upstream.invalid/program"] = CONTENT
    assert fetch(store, release("http://upstream.invalid/program")).contents == [CONTENT]
    monkeypatch.setenv("http_proxy", "gopher://proxy")
    assert "proxy" in refused(Store(store.folder / "2"), release("http://upstream.invalid/program")).what


# Over TLS, with the makers' own list of hashes


@pytest.fixture
def secure(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with serving(tmp_path) as started:
        started.files[PATH] = CONTENT
        started.files["/v1/SHA256SUMS"] = f"{'0' * 64}  other\n{hash_of(CONTENT)[7:]}  program\n".encode()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        yield started


def test_the_makers_own_list_is_asked(secure: FileServer, store: Store) -> None:
    one = release(secure.url(PATH), sums=secure.url("/v1/SHA256SUMS"))
    assert fetch(store, one).contents == [CONTENT]
    secure.files[PATH] = CONTENT[::-1]
    assert "not what it must be" in refused(Store(store.folder / "2"), one).what


def test_a_list_that_comes_without_tls_is_not_believed(secure: FileServer, server: FileServer, store: Store) -> None:
    server.files["/sums"] = secure.files["/v1/SHA256SUMS"]
    secure.redirects["/sums"] = server.url("/sums")
    error = refused(store, release(secure.url(PATH), sums=secure.url("/sums")))
    assert "without TLS" in error.what
    # The file itself may come from anywhere, once its hash is known.
    server.files["/elsewhere"] = CONTENT
    secure.redirects[PATH] = server.url("/elsewhere")
    assert fetch(store, release(secure.url(PATH), sums=secure.url("/v1/SHA256SUMS"))).contents == [CONTENT]


def test_a_server_that_nobody_vouches_for_is_not_asked_twice(
    secure: FileServer, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    error = refused(store, release(secure.url(PATH)))
    assert "cannot be believed" in error.what and "certificate" in error.why and "SSL_CERT_FILE" in error.hint


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A" * 64, "a" * 64),
        (f"{'a' * 64}\n", "a" * 64),
        (f"{'a' * 64}  program", "a" * 64),
        (f"{'b' * 64}  other\n{'a' * 64} *./release/program\n", "a" * 64),
        (f"SHA256 (program) = {'a' * 64}", "a" * 64),
        (f"{'c' * 40}  program\n{'a' * 64}  program\n{'d' * 128}  program", "d" * 128),
    ],
    ids=["bare", "line", "plain", "folder", "tagged", "strongest"],
)
def test_lists_of_hashes_are_read_as_makers_write_them(text: str, found: str) -> None:
    assert published(text, "program").partition(":")[2] == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not name program"),
        ("<html>Sign in to this hotspot</html>", "does not name program"),
        (f"{'a' * 64}  program.asc", "does not name program"),
        (f"{'a' * 40}  program", "does not name program"),
        (f"{'a' * 64}  program\n{'b' * 64}  x/program", "two things"),
    ],
    ids=["empty", "page", "other", "weak", "contradiction"],
)
def test_a_list_that_does_not_say_it_is_refused(text: str, words: str) -> None:
    with pytest.raises(BrambleError, match=words):
        published(text, "program")


@pytest.mark.parametrize(
    "source",
    [
        {"urls": ("https://x/y",)},
        {"urls": ("https://x/y",), "digest": hash_of(b""), "sums": "https://x/sums"},
        {"urls": ("https://x/y",), "digest": "sha1:abc"},
        {"urls": ("http://x/y",), "sums": "https://x/sums"},
        {"urls": ("https://x/y",), "sums": "http://x/sums"},
    ],
)
def test_what_nothing_vouches_for_is_a_mistake_of_the_catalogue(source: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Download(**source)


# Files out of archives


def tar_of(**members: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(f"./bin/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("./bin/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return out.getvalue()


def zip_of(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in members.items():
            packed.writestr(f"bin/{name}", content)
    return out.getvalue()


MEMBERS = {"a": b"first" * 1000, "b": b"second", "c": b"third"}


@pytest.mark.parametrize(
    "archive",
    [gzip.compress(tar_of(**MEMBERS)), lzma.compress(tar_of(**MEMBERS)), zip_of(**MEMBERS)],
    ids=["tar.gz", "tar.xz", "zip"],
)
def test_files_of_one_archive_come_by_one_fetch(server: FileServer, store: Store, archive: bytes) -> None:
    server.files[PATH] = archive
    wanted = [release(server.url(PATH), name=name, digest=hash_of(archive), member=f"bin/{name}") for name in "ca"]
    assert fetch(store, *wanted).contents == [b"third", b"first" * 1000]
    assert len(server.asked) == 1 and len(list(store.all())) == 2
    assert not list((store.folder / "work").iterdir())


@pytest.mark.parametrize(
    ("content", "member", "words"),
    [
        (gzip.compress(tar_of(**MEMBERS)), "bin/d", "does not hold bin/d"),
        (gzip.compress(tar_of(**MEMBERS)), "bin/link", "bin/link in the archive is not a file"),
        (zip_of(**MEMBERS), "bin/d", "does not hold bin/d"),
        (b"nothing of the kind", "bin/a", "no archive that can be read"),
        (gzip.compress(tar_of(**MEMBERS))[:-90], "bin/link", "no archive that can be read"),
    ],
    ids=["absent", "link", "absent-zip", "no-archive", "cut"],
)
def test_an_archive_that_does_not_hold_it_is_told(
    server: FileServer, store: Store, content: bytes, member: str, words: str
) -> None:
    server.files[PATH] = content
    assert words in refused(store, release(server.url(PATH), digest=hash_of(content), member=member)).what


def test_an_interrupt_leaves_what_can_be_gone_on_with(server: FileServer, store: Store) -> None:
    server.faults = ["hang"]
    one = release(server.url(PATH))

    async def interrupted() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await Fetcher(store, lambda *_: None).fetch([one])

    asyncio.run(interrupted())
    assert fetch(store, one).contents == [CONTENT]
    assert server.asked[-1] == (PATH, "bytes=150000-")


def test_two_runs_do_not_fetch_the_same_at_once(server: FileServer, store: Store) -> None:
    said: list[str] = []
    one = release(server.url(PATH))

    async def both() -> None:
        await asyncio.gather(*(Fetcher(store, lambda _, text: said.append(text)).fetch([one]) for _ in range(2)))

    asyncio.run(both())
    assert len(server.asked) == 1
    assert "waits for another run that is fetching it" in said


def test_programs_of_kubernetes_come_by_one_fetch_of_upstreams_archive(server: FileServer, store: Store) -> None:
    """What upstream's archive looks like, with programs of ours in it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in ("kubernetes/LICENSES", "kubernetes/server/bin"):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
        for name in (
            "kube-apiserver",
            "kube-apiserver.docker_tag",
            "kube-apiserver.tar",
            "kubeadm",
            "kubelet",
            "mounter",
        ):
            entry = tarfile.TarInfo(f"kubernetes/server/bin/{name}")
            entry.size, entry.mode = len(name), 0o755
            tar.addfile(entry, io.BytesIO(name.encode()))
    server.files[PATH] = out.getvalue()
    digest = hash_of(out.getvalue(), "sha512")
    wanted = []
    for one in programs.artifacts(["arm64"], programs.VERSIONS[-1], release=True):
        if one.name in ("kubernetes/kubelet", "kubernetes/kubeadm", "kubernetes/kube-apiserver"):
            assert isinstance(one.source, Download)
            ours = dataclasses.replace(one.source, urls=(server.url(PATH),), digest=digest)
            wanted.append(dataclasses.replace(one, source=ours))
    assert fetch(store, *wanted).contents == [one.name.rpartition("/")[2].encode() for one in wanted]
    assert len(wanted) == 3 and len(server.asked) == 1
