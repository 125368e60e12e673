"""Archives of images: read in the forms that people have, written in one that containerd and Docker both take.

What is read: what ``docker save``, ``podman save`` and ``buildah push`` write (Docker's own form, and the OCI layout),
perhaps compressed by gzip, bzip2 or xz. What is written is an OCI layout with Docker's list of contents beside it, the
same bytes for the same image.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import json
import lzma
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from ...errors import UsageError
from ...model import Reference

_OCI = "application/vnd.oci.image"
_INDEXES = (f"{_OCI}.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")

#: What images call an architecture → Debian's word.
_ARCHITECTURES = {"amd64": "amd64", "arm64": "arm64", "arm": "armhf", "riscv64": "riscv64", "386": "i386"}

#: First bytes of a layer → the end of its media type.
_PACKED = {b"\x1f\x8b": "+gzip", b"\x28\xb5\x2f\xfd": "+zstd"}

#: The largest description of an image that is believed, bytes.
_LARGEST = 16 << 20

CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Found:
    """An image for one architecture, in an archive of its own.

    Attributes
    ----------
    names
        As its archive calls it; may be none.
    architecture
        Debian's word.
    manifest, config
        Its list of contents, and its configuration, as they stand in the archive.
    blobs
        Digest of each layer → its place in the archive.
    source
        The archive.
    """

    names: tuple[str, ...]
    architecture: str
    manifest: bytes
    config: bytes
    blobs: dict[str, str]
    source: Path

    @property
    def digest(self) -> str:
        """Of its manifest: by this containerd knows it."""
        return _digest(self.manifest)

    @property
    def image(self) -> str:
        """Of its configuration: by this Docker knows it."""
        return _digest(self.config)

    def write(self, reference: Reference, out: Path) -> None:
        """Write it under a name.

        Raises
        ------
        UsageError
            Its archive is damaged.
        """
        layers = [layer["digest"] for layer in json.loads(self.manifest)["layers"]]
        described = {
            "mediaType": f"{_OCI}.manifest.v1+json",
            "digest": self.digest,
            "size": len(self.manifest),
            "annotations": {
                "io.containerd.image.name": reference.whole,
                "org.opencontainers.image.ref.name": reference.tag,
            },
        }
        described["mediaType"] = json.loads(self.manifest).get("mediaType", described["mediaType"])
        docker = {"Config": _path(self.image), "RepoTags": [str(reference)], "Layers": [_path(one) for one in layers]}
        with out.open("wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as new:
            _put(new, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
            _put(new, "index.json", json.dumps({"schemaVersion": 2, "manifests": [described]}).encode())
            _put(new, "manifest.json", json.dumps([docker]).encode())
            _put(new, _path(self.digest), self.manifest)
            _put(new, _path(self.image), self.config)
            with tarfile.open(self.source, "r:") as old:
                for digest in dict.fromkeys(layers):
                    _copy(old, self.blobs[digest], new, digest)


@contextlib.contextmanager
def read(source: Path | IO[bytes], work: Path) -> Iterator[list[Found]]:
    """All images of an archive, one for each architecture.

    Parameters
    ----------
    source
        A file, or a stream such as standard input.
    work
        Where a compressed one is unpacked for as long as it is looked at.

    Raises
    ------
    UsageError
        It is no archive of images, or a damaged one; says how one is made.
    """
    name = source.name if isinstance(source, Path) else "standard input"
    with tempfile.NamedTemporaryFile(dir=work, suffix=".tar") as plain:
        try:
            path = _plain(source, plain)
            with tarfile.open(path, "r:") as tar:
                found = list(_Reader(tar, name).images(path))
        except (tarfile.TarError, EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
            raise _no_image(name, str(error)) from None
        except OSError as error:
            raise UsageError(f"{name} cannot be read", why=error.strerror or str(error)) from None
        yield found


def _plain(source: Path | IO[bytes], plain: Any) -> Path:
    """The archive, uncompressed, as a file that can be read at any place."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            start = file.read(264)
        if start[257:262] == b"ustar":
            return source
        opened: IO[bytes] = source.open("rb")
    else:
        opened = source
    kinds: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
    with contextlib.ExitStack() as stack:
        buffered = stack.enter_context(io.BufferedReader(cast(io.RawIOBase, opened)))
        start = buffered.peek(4)
        if start[:4] == b"\x28\xb5\x2f\xfd":
            raise _no_image("it", "it is compressed by zstd: unpack it first (zstd -d)")
        unpack = kinds.get(start[:2])
        stream = stack.enter_context(unpack(buffered, "rb")) if unpack else buffered
        shutil.copyfileobj(stream, plain, CHUNK)
    plain.flush()
    return Path(plain.name)


class _Reader:
    """One archive."""

    def __init__(self, tar: tarfile.TarFile, name: str) -> None:
        self._tar, self._name = tar, name
        self._members = {member.name.removeprefix("./"): member for member in tar.getmembers()}

    def images(self, path: Path) -> Iterator[Found]:
        """All of them."""
        if "index.json" in self._members and "oci-layout" in self._members:
            yield from self._of_index(self._json("index.json"), (), path)
        elif "manifest.json" in self._members:
            for one in self._json("manifest.json"):
                yield self._of_docker(one, path)
        else:
            raise _no_image(self._name, "it has neither an index.json nor a manifest.json")

    def _of_index(self, index: Any, names: tuple[str, ...], path: Path) -> Iterator[Found]:
        for one in index["manifests"]:
            notes = one.get("annotations") or {}
            named = notes.get("io.containerd.image.name") or notes.get("org.opencontainers.image.ref.name", "")
            # Some tools write the bare tag there: the name itself is lost.
            known = (named,) if ":" in named or "/" in named else names
            if "attestation" in notes.get("vnd.docker.reference.type", ""):
                continue  # what was built, not an image
            data = self._bytes(_path(one["digest"]), one["digest"])
            if one.get("mediaType") in _INDEXES:
                yield from self._of_index(self._parsed(data, one["digest"]), known, path)
            else:
                yield self._of_manifest(data, known, path)

    def _of_manifest(self, manifest: bytes, names: tuple[str, ...], path: Path) -> Found:
        contents = self._parsed(manifest, "a manifest")
        config = self._bytes(_path(contents["config"]["digest"]), contents["config"]["digest"])
        blobs = {layer["digest"]: self._member(_path(layer["digest"])) for layer in contents["layers"]}
        return self._found(names, manifest, config, blobs, path)

    def _of_docker(self, one: Any, path: Path) -> Found:
        config = self._bytes(one["Config"])
        blobs: dict[str, str] = {}
        layers: list[dict[str, Any]] = []
        for place in one["Layers"]:
            digest, size, start = self._look(place)
            blobs[digest] = self._member(place)
            packed = next((end for mark, end in _PACKED.items() if start.startswith(mark)), "")
            layers.append({"mediaType": f"{_OCI}.layer.v1.tar{packed}", "digest": digest, "size": size})
        expected = self._parsed(config, one["Config"])["rootfs"]["diff_ids"]
        for layer, diff in zip(layers, expected, strict=False):
            if layer["mediaType"].endswith("tar") and layer["digest"] != diff:
                raise _damaged(self._name)
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": {"mediaType": f"{_OCI}.config.v1+json", "digest": _digest(config), "size": len(config)},
            "layers": layers,
        }
        return self._found(tuple(one.get("RepoTags") or ()), json.dumps(manifest).encode(), config, blobs, path)

    def _found(
        self, names: tuple[str, ...], manifest: bytes, config: bytes, blobs: dict[str, str], path: Path
    ) -> Found:
        about = self._parsed(config, "its configuration")
        if about.get("os") != "linux":
            raise UsageError(f"{self._name} holds an image for {about.get('os') or 'no system'}, not for Linux")
        said = about.get("architecture", "")
        return Found(
            names=names,
            architecture=_ARCHITECTURES.get(said, said),
            manifest=manifest,
            config=config,
            blobs=blobs,
            source=path,
        )

    def _member(self, place: str) -> str:
        """The name of a member as the archive has it."""
        try:
            return self._members[place.removeprefix("./")].name
        except KeyError:
            raise _damaged(self._name, f"{place} is missing") from None

    def _bytes(self, place: str, digest: str = "") -> bytes:
        file = self._tar.extractfile(self._member(place))
        data = file.read(_LARGEST) if file else b""
        if digest and _digest(data) != digest:
            raise _damaged(self._name)
        return data

    def _json(self, place: str) -> Any:
        return self._parsed(self._bytes(place), place)

    def _parsed(self, data: bytes, place: str) -> Any:
        try:
            return json.loads(data)
        except ValueError as error:
            raise _no_image(self._name, f"{place}: {error}") from None

    def _look(self, place: str) -> tuple[str, int, bytes]:
        """Digest, size and first bytes of a layer."""
        file = self._tar.extractfile(self._member(place))
        if file is None:
            raise _damaged(self._name, f"{place} is no file")
        total, size, start = hashlib.sha256(), 0, b""
        while data := file.read(CHUNK):
            start = start or data[:4]
            total.update(data)
            size += len(data)
        return f"sha256:{total.hexdigest()}", size, start


def _copy(old: tarfile.TarFile, place: str, new: tarfile.TarFile, digest: str) -> None:
    """Copy a layer, and see that it is what it is called."""
    file = old.extractfile(place)
    assert file
    entry = tarfile.TarInfo(_path(digest))
    entry.size, entry.mode = file.seek(0, io.SEEK_END), 0o644
    file.seek(0)
    hashing = _Hashing(file)
    new.addfile(entry, hashing)
    if f"sha256:{hashing.total.hexdigest()}" != digest:
        raise _damaged(str(old.name))


class _Hashing:
    """A stream that is hashed as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.total = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As the stream."""
        data = self._stream.read(size)
        self.total.update(data)
        return data


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    tar.addfile(entry, io.BytesIO(data))


def _path(digest: str) -> str:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise UsageError(f"{digest!r} is no digest that bramble knows", hint="only SHA-256 is known")
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _no_image(name: str, why: str) -> UsageError:
    return UsageError(
        f"{name} is no archive of an image", why=why, hint="docker save app:1 -o app.tar; podman save app:1 -o app.tar"
    )


def _damaged(name: str, why: str = "what is in it is not what it says") -> UsageError:
    return UsageError(f"{Path(name).name} is damaged", why=why, hint="write it again")
