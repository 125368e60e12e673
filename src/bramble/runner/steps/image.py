"""An image that containers are made from, in the store of the host's containerd."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import field
from typing import IO, Any, Optional

from ..step import Answer, Change, Record, Step, StepError, Unknown, step
from ..system import System
from ..transfer import require_arrived
from .engines import ENGINES, PINNED, ctr

#: Where programs lie in an image, and where its own are looked for.
FOLDER = "usr/local/bin"

#: Debian's word for an architecture → that of images.
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}


@step
class Image(Step):
    """An image of one program, and perhaps of some that the host has; made on the host, so no registry is needed.

    Its one layer holds nothing but these programs, the libraries of the host's, and an empty /tmp.

    Parameters
    ----------
    artifact
        Name of the artifact in the plan: the program, which must not need any library.
    name
        Of the image, with its tag: ``bramble.invalid/kube-proxy:v1.35.4``.
    program
        What the program is called in the image; it lies in /usr/local/bin and is what a container runs.
    host_programs
        Programs of the host's that it calls, by their names.
    files
        Absolute path → text of further files in the image.
    sha256, size
        Of the artifact: filled in by the engine.
    """

    artifact: str
    name: str
    program: str
    host_programs: "tuple[str, ...]" = ()
    files: "Mapping[str, str]" = field(default_factory=dict)
    sha256: str = ""
    size: int = 0

    @property
    def _resource(self) -> str:
        return f"Image {self.name}"

    def resources(self) -> "tuple[str, ...]":
        return (self._resource,)

    def check(self, system: System) -> Answer:
        if not shutil.which("ctr"):
            return Unknown("containerd is not there yet")
        listed = system.run(ctr("list", "--quiet"), timeout=60)
        if listed.status != 0:
            return Unknown("containerd does not answer")
        if self.name not in listed.stdout.split():
            return Change("make", {self._resource: None})
        last = system.recorded.get(self._resource)
        return Change("make anew", {self._resource: None}) if self.sha256 and last != self._content else None

    @property
    def _content(self) -> str:
        """A mark of all that goes into it and can change."""
        if not self.files:
            return self.sha256
        return hashlib.sha256(json.dumps([self.sha256, self.files], sort_keys=True).encode()).hexdigest()

    def apply(self, system: System, change: Change) -> None:
        brought = require_arrived(self.artifact, self.sha256)
        files = {f"{FOLDER}/{self.program}": brought}
        for name in self.host_programs:
            found = shutil.which(name)
            if found is None:
                raise StepError(f"{name} is not on this host, and the image {self.name} needs it")
            files[f"{FOLDER}/{name}"] = os.path.realpath(found)
            files.update(_libraries(system, found))
        # Beside what was brought: /tmp may be small, and in memory.
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(brought), suffix=".image") as file:
            _write(file, self.name, f"/{FOLDER}/{self.program}", files, self.files)
            file.flush()
            system.must(ctr("import", file.name), f"the image {self.name} cannot be taken in")
        system.must(ctr("label", self.name, PINNED))

    def fingerprint(self, system: System) -> Optional[str]:
        return self._content

    def undo(self, system: System, records: "Mapping[str, Record]") -> Optional[str]:
        if shutil.which("ctr") and self.name in system.run(ctr("list", "--quiet"), timeout=60).stdout.split():
            ENGINES["containerd"].remove(system, self.name)
        return None


def _libraries(system: System, program: str) -> "dict[str, str]":
    """The files that a program is loaded with, by their places without the first slash; ldd names each by its path."""
    listed = system.must(["ldd", program]).stdout
    return {path.lstrip("/"): os.path.realpath(path) for path in re.findall(r"(/\S+) \(0x", listed)}


def _write(out: Any, name: str, entry: str, files: "dict[str, str]", texts: "Mapping[str, str]") -> None:
    """An OCI layout as a tar archive: blobs by their hashes, and an index that names the image."""
    with tempfile.TemporaryFile(dir=os.path.dirname(out.name)) as layer, tarfile.open(fileobj=out, mode="w") as tar:
        _layer(layer, files, texts)
        content = _blob(tar, layer)
        config = {
            "architecture": _MACHINES.get(os.uname().machine, "amd64"),
            "os": "linux",
            "config": {
                "Entrypoint": [entry],
                "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            },
            "rootfs": {"type": "layers", "diff_ids": [content["digest"]]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **_json(tar, config)},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **content}],
        }
        described = {
            "mediaType": manifest["mediaType"],
            **_json(tar, manifest),
            "annotations": {"io.containerd.image.name": name},
        }
        _add(tar, "index.json", json.dumps({"schemaVersion": 2, "manifests": [described]}).encode())
        _add(tar, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def _layer(out: "IO[bytes]", files: "dict[str, str]", texts: "Mapping[str, str]") -> None:
    with tarfile.open(fileobj=out, mode="w") as tar:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(folder)
        for path, source in files.items():
            with open(source, "rb") as file:
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = os.fstat(file.fileno()).st_size, 0o755
                tar.addfile(entry, file)
        for path, text in texts.items():
            _add(tar, path.lstrip("/"), text.encode())


def _blob(tar: tarfile.TarFile, content: "IO[bytes]") -> "dict[str, Any]":
    total = hashlib.sha256()
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    for data in iter(lambda: content.read(1 << 20), b""):
        total.update(data)
    content.seek(0)
    entry = tarfile.TarInfo(f"blobs/sha256/{total.hexdigest()}")
    entry.size = size
    tar.addfile(entry, content)
    return {"digest": f"sha256:{total.hexdigest()}", "size": size}


def _json(tar: tarfile.TarFile, value: Any) -> "dict[str, Any]":
    return _blob(tar, io.BytesIO(json.dumps(value).encode()))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
