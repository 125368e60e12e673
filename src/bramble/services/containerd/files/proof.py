"""Run a container from an image made here, and let it tell where it is. Prints what it says."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from typing import Any

NAMESPACE, IMAGE = "bramble-proof", "bramble.invalid/proof:1"
SHELL = "/bin/sh"
# What goes into the image has no /etc; the first process of a container is its number 1; what it writes is its own.
ASKED = 'echo "answer $((6 * 7))"; echo "process $$"; echo x >/written && echo "disk $(test -e /etc || echo own)"'


def _ctr(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ctr", "--namespace", NAMESPACE, *words], capture_output=True, text=True, check=False)


def _must(*words: str) -> str:
    done = _ctr(*words)
    if done.returncode:
        sys.exit(done.stderr.strip() or f"ctr {words[0]} ended with {done.returncode}")
    return done.stdout


def _libraries(program: str) -> "list[str]":
    """The files that a program is loaded with; ldd names each by its path."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    found: list[str] = re.findall(r"(/\S+) \(0x", listed)
    return found


def _layer() -> bytes:
    """A shell and what it is loaded with, as a tar archive."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for path in [SHELL, *_libraries(SHELL)]:
            tar.add(os.path.realpath(path), arcname=path.lstrip("/"))
    return made.getvalue()


def _image(file: str) -> None:
    """An OCI layout: blobs by digest, and an index that names the image."""
    with tarfile.open(file, "w") as tar:

        def put(name: str, data: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))

        def blob(data: bytes, kind: str) -> "dict[str, Any]":
            digest = hashlib.sha256(data).hexdigest()
            put(f"blobs/sha256/{digest}", data)
            return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

        content = _layer()
        machine = {"aarch64": "arm64", "x86_64": "amd64"}.get(os.uname().machine, "arm")
        config = {
            "architecture": machine,
            "os": "linux",
            "config": {"Cmd": [SHELL]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob(json.dumps(config).encode(), "config.v1+json"),
            "layers": [blob(content, "layer.v1.tar")],
        }
        named = {"annotations": {"io.containerd.image.name": IMAGE}}
        described = {**blob(json.dumps(manifest).encode(), "manifest.v1+json"), **named}
        put("index.json", json.dumps({"schemaVersion": 2, "manifests": [described]}).encode())
        put("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')


def _clear() -> None:
    """Also what an earlier proof left that was cut off."""
    for task in _ctr("tasks", "list", "--quiet").stdout.split():
        _ctr("tasks", "delete", "--force", task)
    for container in _ctr("containers", "list", "--quiet").stdout.split():
        _ctr("containers", "delete", container)
    _ctr("images", "delete", "--sync", IMAGE)
    _ctr("namespaces", "remove", NAMESPACE)


_must("version")
_clear()
try:
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        _image(file.name)
        _must("images", "import", file.name)
    sys.stdout.write(_must("run", "--rm", IMAGE, f"proof-{os.getpid()}", SHELL, "-c", ASKED))
finally:
    _clear()
