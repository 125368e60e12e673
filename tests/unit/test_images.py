"""Images of the user's own: archives in every form that people have, what is refused, the plan, who follows whom."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.board import PI

from bramble import services
from bramble.engine.images import Found, read
from bramble.engine.images.context import pack, recipe
from bramble.errors import UsageError
from bramble.model import Cluster, Deployment, Host, HostSet, Reference
from bramble.services.images import SERVICE

LAYER = b"a layer" * 100


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def tar(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def config(architecture: str = "arm64", layer: bytes = LAYER, **more: Any) -> bytes:
    described = {"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}
    return json.dumps({**described, **more}).encode()


def docker(name: str = "app:1", about: bytes = config(), layer: bytes = LAYER) -> dict[str, bytes]:
    """As ``docker save`` and ``podman save`` write it."""
    listed = [{"Config": "c.json", "RepoTags": [name] if name else None, "Layers": ["l/layer.tar"]}]
    return {"c.json": about, "l/layer.tar": layer, "manifest.json": json.dumps(listed).encode()}


def oci(*abouts: bytes, name: str = "docker.io/library/app:1", nested: bool = False) -> dict[str, bytes]:
    """As ``buildah push`` and ``docker buildx`` write it."""
    files = {"oci-layout": b"{}"}

    def blob(data: bytes) -> dict[str, Any]:
        files[f"blobs/sha256/{digest(data).partition(':')[2]}"] = data
        return {"digest": digest(data), "size": len(data)}

    manifests = []
    for about in abouts:
        contents = {"schemaVersion": 2, "config": blob(about), "layers": [blob(LAYER)]}
        manifests.append(blob(json.dumps(contents).encode()))
    if nested:
        inner = json.dumps({"manifests": manifests}).encode()
        manifests = [{**blob(inner), "mediaType": "application/vnd.oci.image.index.v1+json"}]
    for one in manifests:
        one["annotations"] = {"io.containerd.image.name": name}
    files["index.json"] = json.dumps({"manifests": manifests}).encode()
    return files


def found(folder: Path, content: bytes) -> list[Found]:
    file = folder / "app.tar"
    file.write_bytes(content)
    with read(file, folder) as images:
        return images


# Archives


@pytest.mark.parametrize("packed", [bytes, gzip.compress, lzma.compress], ids=["plain", "gzip", "xz"])
@pytest.mark.parametrize("files", [docker(), oci(config())], ids=["docker", "oci"])
def test_every_form_is_read(files: dict[str, bytes], packed: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (image,) = found(tmp_path, packed(tar(files)))
    assert image.architecture == "arm64" and image.image == digest(config())
    assert [str(Reference.parse(name)) for name in image.names] == ["app:1"]


def test_an_archive_of_several_architectures_is_several(tmp_path: Path) -> None:
    both = oci(config("arm64"), config("amd64"), nested=True)
    assert [image.architecture for image in found(tmp_path, tar(both))] == ["arm64", "amd64"]


def test_what_hosts_get_is_the_same_for_the_same_and_fits_every_engine(tmp_path: Path) -> None:
    written, digests = [], []
    for order in (docker(), dict(reversed(docker().items()))):
        (tmp_path / "app.tar").write_bytes(tar(order))
        with read(tmp_path / "app.tar", tmp_path) as (image,):
            image.write(Reference.parse("me/app:1"), tmp_path / "out.tar")
        written.append((tmp_path / "out.tar").read_bytes())
        digests.append(image.digest)
    assert written[0] == written[1]
    with tarfile.open(tmp_path / "out.tar") as made:
        names = made.getnames()
        assert len(names) == len(set(names))
        listed = json.loads(made.extractfile("manifest.json").read())  # type: ignore[union-attr]
        index = json.loads(made.extractfile("index.json").read())  # type: ignore[union-attr]
    assert listed[0]["RepoTags"] == ["me/app:1"] and {listed[0]["Config"], *listed[0]["Layers"]} < set(names)
    (described,) = index["manifests"]
    assert described["annotations"]["io.containerd.image.name"] == "docker.io/me/app:1"
    assert [described["digest"]] * 2 == digests
    # What was written is an archive itself, of the very same image.
    assert found(tmp_path, written[0])[0].digest == digests[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no tar at all" * 100, "no archive of an image"),
        (b"", "no archive of an image"),
        (tar({"etc/passwd": b"root"}), "no archive of an image"),
        (tar(docker())[:600], "no archive of an image"),
        (tar({**docker(), "manifest.json": b"{"}), "no archive of an image"),
        (gzip.compress(tar(docker()))[:-20], "no archive of an image"),
        (tar(docker(about=config(layer=b"another"))), "damaged"),
        (tar({name: data for name, data in docker().items() if "layer" not in name}), "damaged"),
        (tar(docker(about=config(os="windows"))), "not for Linux"),
        (b"\x28\xb5\x2f\xfd" + b"z" * 600, "no archive of an image"),
    ],
    ids=["text", "empty", "other", "cut", "json", "cut-gzip", "tampered", "missing", "windows", "zstd"],
)
def test_what_is_no_image_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        found(tmp_path, content)
    assert refused.value.hint or "Linux" in words


def test_a_tampered_layer_is_found_when_it_is_copied(tmp_path: Path) -> None:
    files = oci(config())
    (tmp_path / "app.tar").write_bytes(
        tar({n: data[:-1] + b"!" if data == LAYER else data for n, data in files.items()})
    )
    with (
        read(tmp_path / "app.tar", tmp_path) as (image,),
        pytest.raises(UsageError, match=r"app\.tar is damaged"),
    ):
        image.write(Reference.parse("app:1"), tmp_path / "out.tar")


# Names


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("app:1", "docker.io/library/app:1"),
        ("me/app:1.2-rc_3", "docker.io/me/app:1.2-rc_3"),
        ("docker.io/nginx:1", "docker.io/library/nginx:1"),
        ("ghcr.io/me/app:1", "ghcr.io/me/app:1"),
        ("red:5000/app:1", "red:5000/app:1"),
        ("localhost/app:1", "localhost/app:1"),
    ],
)
def test_a_name_means_what_kubernetes_takes_it_for(text: str, whole: str) -> None:
    reference = Reference.parse(text)
    assert reference.whole == whole and Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("app", "no version"),
        ("red:5000/app", "no version"),
        ("", "no name"),
        ("App:1", "no name"),
        ("app:1 2", "no name"),
        ("app:", "no name"),
        ("app@sha256:1", "by its digest"),
        ("bramble.invalid/pause:1", "bramble's own"),
    ],
)
def test_what_is_no_name_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        Reference.parse(text)
    assert refused.value.hint


# Folders


def test_a_folder_without_a_containerfile_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        recipe(tmp_path / "nothing")
    with pytest.raises(UsageError, match="no Containerfile and no Dockerfile"):
        recipe(tmp_path)
    with pytest.raises(UsageError, match="there is no file other"):
        recipe(tmp_path, "other")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert recipe(tmp_path) == (tmp_path, "FROM scratch\n")
    (tmp_path / "Containerfile").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="it is not text"):
        recipe(tmp_path)
    assert recipe(tmp_path, "Dockerfile")[1] == "FROM scratch\n"


@pytest.mark.parametrize(
    ("ignored", "sent"),
    [
        ("", {".git/config", "app", "data/big", "keep/data"}),
        ("# said\n.git\n/data/\n", {"app", "keep/data"}),
        (".git\n*.tmp\n", {"app", "data/big", "keep/data"}),
        ("data\n!data/big\n", {".git/config", "app", "data/big", "keep/data"}),
    ],
    ids=["none", "names", "a-star", "an-exception"],
)
def test_what_is_to_be_ignored_is_not_sent(ignored: str, sent: set[str], tmp_path: Path) -> None:
    folder = tmp_path / "app"
    for name in (".git/config", "app", "data/big", "keep/data"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / ".dockerignore").write_text(ignored)
    packed = io.BytesIO()
    pack(folder, packed)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        files = {entry.name.removeprefix("./") for entry in archive if entry.isfile()}
    assert files == {*sent, ".dockerignore"}


# The plan

CLUSTER = Cluster(
    name="red",
    hosts=(Host(name="red"), Host(name="red01"), Host(name="red02")),
    manager="red",
    services={"docker": Deployment(hosts=HostSet(["red01"]))},
)
FACTS = {
    name: dataclasses.replace(PI, hostname=name, architecture="amd64" if name == "red02" else "arm64")
    for name in CLUSTER.hostset
}


def archive(letter: str) -> dict[str, object]:
    return {"sha256": letter * 64, "size": 10, "manifest": f"sha256:{'1' * 64}", "image": f"sha256:{'2' * 64}"}


IMAGES = {"images": {"app:1": {"arm64": archive("a")}, "me/web:2": {"arm64": archive("b"), "amd64": archive("c")}}}


def test_plan_is_as_it_was(snapshot: SnapshotAssertion) -> None:
    options = services.configure(SERVICE, IMAGES)
    made = {
        "plan": SERVICE.plan(CLUSTER, options, FACTS).to_json(),
        "verify": [
            (part.title, {host: len(steps) for host, steps in part.steps.items()})
            for part in SERVICE.verify(CLUSTER, options, FACTS).groups
        ],
    }
    assert json.dumps(made, indent=1, ensure_ascii=False) == snapshot


def test_a_host_without_an_image_of_its_kind_is_named() -> None:
    plan = SERVICE.plan(CLUSTER, services.configure(SERVICE, IMAGES), FACTS)
    assert plan.notes == ("app:1 is not brought to red02 (amd64): there is only one for arm64",)


@pytest.mark.parametrize("wrong", [{"images": {"App": {}}}, {"images": {"app:1": {"arm64": {}}}}, {"images": "app:1"}])
def test_a_cluster_file_with_mistakes_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        services.configure(SERVICE, wrong)
