"""Images of the user's own on real hosts: built, loaded, run in pods, following a cluster; and what can go wrong."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.engine.artifacts.golang import client
from bramble.lab.testing import Lab
from bramble.runner.facts import architecture

#: Says what stands in a file of its image, once or to whoever asks.
PROGRAM = """package main

import ("net/http"; "os")

func main() {
	text, _ := os.ReadFile("/hello.txt")
	if len(os.Args) > 1 { os.Stdout.Write(text); return }
	http.ListenAndServe(":8080", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(text) }))
}
"""

CONTAINERFILE = """FROM scratch
ARG PLACE=nowhere
COPY app hello.txt /
RUN ["/app", "say"]
LABEL place=$PLACE
ENTRYPOINT ["/app"]
"""

#: One pod on each node, from the image alone.
PODS = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: app}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: app, image: "app:1"}]
"""

KUBECTL = "kubectl --cache-dir /run/kubectl --kubeconfig /etc/kubernetes/admin.conf"


@pytest.fixture(scope="module")
def hosts(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """Three hosts that run containers; the manager has something to build images with."""
    yield make_lab("images", 3, containers=True)
    labs.down("images")


@pytest.fixture
def pis(hosts: Lab) -> Lab:
    hosts.reset()
    return hosts


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to build an image from: a program that needs nothing, and its text."""
    folder = tmp_path_factory.mktemp("images") / "app"
    folder.mkdir()
    (folder / "main.go").write_text(PROGRAM)
    environment = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off"}
    subprocess.run([asyncio.run(client()), "build", "-o", "app", "main.go"], cwd=folder, env=environment, check=True)
    (folder / ".dockerignore").write_text("main.go\nsecret\n")
    (folder / "secret").write_text("nobody's business")
    (folder / "Containerfile").write_text(CONTAINERFILE)
    say(folder, "hello 1")
    return folder


def say(folder: Path, text: str) -> None:
    (folder / "hello.txt").write_text(text)


def install(lab: Lab, host: str, *packages: str) -> None:
    lab.shell(host, f"apt-get update -q; apt-get install -qy --no-install-recommends {' '.join(packages)}")


def images_on(lab: Lab, host: str) -> list[str]:
    """What containerd has there, but for what bramble makes itself."""
    names = lab.shell(host, "ctr -n k8s.io images list -q").split()
    return [name for name in names if not name.startswith(("bramble.invalid/", "sha256:"))]


def answers(lab: Lab, manager: str) -> dict[str, str]:
    """What the pod on each node says."""
    found = {}
    nodes = lab.shell(manager, f"{KUBECTL} get nodes -o name").replace("node/", "").split()
    for pod in json.loads(lab.shell(manager, f"{KUBECTL} get pods -l app=app -o json"))["items"]:
        if pod["spec"]["nodeName"] not in nodes:
            continue  # of a node that has left: it is known for a while
        ask = f"import urllib.request as u; print(u.urlopen('http://{pod['status']['podIP']}:8080').read().decode())"
        found[pod["spec"]["nodeName"]] = lab.execute(manager, "python3", "-c", ask).strip()
    return found


def changes(events: list[dict[str, object]]) -> list[dict[str, object]]:
    return [event for event in events if event.get("outcome") in ("changed", "undone")]


@pytest.mark.timeout(2700)
def test_an_image_from_its_folder_to_pods_on_every_node(pis: Lab, app: Path, tmp_path: Path) -> None:
    controller = Controller.of(pis, tmp_path / "controller")
    manager, worker, last = pis.hosts
    install(pis, manager, "buildah")
    before = {host: pis.snapshot(host) for host in pis.hosts}

    def as_found(*hosts: str) -> None:
        left = {host: labs.diff_snapshots(before[host], pis.snapshot(host)) for host in hosts}
        assert left == {host: [] for host in hosts}

    both = f"{manager},{worker}"
    build = ("images", "build", str(app), "--tag", "app:1", "--on", manager)

    # Built on the manager, it is on both hosts; again, nothing changes.
    first = controller.json(*build, "--build-arg", "PLACE=here", "--hosts", both)
    assert first.status == 0 and first.report["verified"] is True, first.said[-3000:]
    said = [event["text"] for event in first.events if event["kind"] == "artifact-progress"]
    assert any("COPY app" in text for text in said) and any("hello 1" in text for text in said), said
    again = controller.json(*build, "--build-arg", "PLACE=here")
    assert again.status == 0 and changes(again.events) == [], again.said[-3000:]
    for host in (manager, worker):
        assert images_on(pis, host) == ["docker.io/library/app:1"]
    (listed,) = map(json.loads, controller.json("images", "list").stdout.splitlines())
    assert (listed["name"], listed["hosts"]) == ("app:1", both)

    # Kubernetes finds it, and a new one is there when pods are made anew; those that run go on.
    deployed = controller.json("deploy", "kubernetes", "--hosts", both, timeout=1800)
    assert deployed.status == 0 and deployed.report["verified"] is True, deployed.said[-3000:]
    pis.shell(manager, f"cat >/root/pods.yaml <<'END'\n{PODS}\nEND\n{KUBECTL} apply -f /root/pods.yaml")
    pis.shell(manager, f"{KUBECTL} rollout status ds/app --timeout=120s")
    assert answers(pis, manager) == {manager: "hello 1", worker: "hello 1"}
    say(app, "hello 2")
    other = controller.json(*build)
    assert other.status == 0 and other.report["changed"] == 2, other.said[-3000:]
    assert answers(pis, manager) == {manager: "hello 1", worker: "hello 1"}
    pis.shell(manager, f"{KUBECTL} rollout restart ds/app; {KUBECTL} rollout status ds/app --timeout=120s")
    assert answers(pis, manager) == {manager: "hello 2", worker: "hello 2"}

    # It goes with Kubernetes to a host that joins, and off one that leaves, with all that was there for it.
    dry = controller.json("scale", "kubernetes", "--add", last, "--dry-run")
    assert dry.status == 0 and any(last in note for note in dry.report["notes"]), dry.said[-3000:]
    as_found(last)
    added = controller.json("scale", "kubernetes", "--add", last, timeout=400)
    assert added.status == 0 and any(last in note for note in added.report["notes"]), added.said[-3000:]
    pis.shell(manager, f"{KUBECTL} rollout status ds/app --timeout=120s")
    assert answers(pis, manager)[last] == "hello 2"
    dropped = controller.json("scale", "kubernetes", "--drop", last, "--yes", timeout=400)
    assert dropped.status == 0, dropped.said[-3000:]
    as_found(last)
    assert last not in controller.run("images").stdout

    # Taken away under a pod that runs: that goes on, and what others need stays. A new pod cannot start.
    removed = controller.json("images", "remove", "app:1", "--yes")
    assert removed.status == 0, removed.said[-3000:]
    assert answers(pis, manager) == {manager: "hello 2", worker: "hello 2"}
    assert images_on(pis, manager) == [] and "app:1" not in controller.cluster_file.read_text()
    pod = "--image=app:1 --image-pull-policy=Never --restart=Never"
    why = "jsonpath={.status.containerStatuses[0].state.waiting.reason}"
    pis.shell(manager, f"{KUBECTL} run new {pod}; {KUBECTL} wait pod/new --for={why}=ErrImageNeverPull --timeout=60s")

    pis.shell(manager, "rm /root/pods.yaml")
    gone = controller.json("remove", "kubernetes", "--yes", timeout=400)
    assert gone.status == 0, gone.said[-3000:]
    as_found(manager, worker)


@pytest.mark.timeout(900)
def test_docker_that_comes_later_has_them_too(pis: Lab, app: Path, tmp_path: Path) -> None:
    controller = Controller.of(pis, tmp_path / "controller")
    manager = pis.hosts[0]
    install(pis, manager, "buildah")
    before = pis.snapshot(manager)
    build = ("images", "build", str(app), "--tag", "app:1", "--on", manager)
    ask = "docker run --rm app:1 say"

    say(app, "hello 1")
    assert controller.run(*build, "--hosts", manager).status == 0
    deployed = controller.json("deploy", "docker", "--hosts", manager, timeout=400)
    assert deployed.status == 0 and any("images follow" in note for note in deployed.report["notes"])
    assert pis.shell(manager, ask) == "hello 1"
    say(app, "hello 2")
    assert controller.run(*build).status == 0
    assert pis.shell(manager, ask) == "hello 2"
    assert pis.shell(manager, "docker images -q --filter dangling=true") == ""

    # Missing in one of them alone, it is missed; Docker goes, and it stays in containerd.
    pis.shell(manager, "docker image rm --force app:1")
    missed = controller.run("verify", "images")
    assert missed.status == 3 and "in Docker" in missed.about(manager), missed.said[-3000:]
    assert controller.run("deploy", "images").status == 0 and pis.shell(manager, ask) == "hello 2"
    assert controller.run("remove", "docker", "--yes", timeout=300).status == 0
    assert images_on(pis, manager) == ["docker.io/library/app:1"]
    assert controller.run("images", "remove", "app:1", "--yes", timeout=300).status == 0
    assert labs.diff_snapshots(before, pis.snapshot(manager)) == []


@pytest.mark.timeout(900)
def test_the_wrong_way(pis: Lab, app: Path, tmp_path: Path) -> None:
    controller = Controller.of(pis, tmp_path / "controller")
    manager, worker, last = pis.hosts
    controller.env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    store = tmp_path / "cache" / "bramble" / "artifacts" / "blobs"

    def refused(status: int, *words: str, about: tuple[str, ...]) -> None:
        ended = controller.run(*words)
        assert ended.status == status, ended.said[-3000:]
        assert all(text in ended.said for text in about), ended.said[-3000:]

    # Before any host is touched.
    no_image = tmp_path / "notes.tar"
    no_image.write_bytes(b"these are my notes" * 100)
    refused(2, "images", "load", str(no_image), about=("notes.tar is no archive of an image",))
    refused(2, "images", "load", str(tmp_path / "nothing.tar"), about=("nothing.tar cannot be read",))
    refused(2, "deploy", "images", about=("bramble images load",))
    refused(2, "images", "build", str(tmp_path), "--tag", "app:1", about=("no Containerfile",))
    refused(2, "images", "build", str(app), "--tag", "app", about=("'app' has no version",))
    refused(2, "images", "remove", "app:1", "--yes", about=("there is no image app:1",))
    refused(1, "images", "build", str(app), "--tag", "app:1", "--on", last, about=("nothing to build", "buildah"))

    # A build that fails: the end of what the builder said, and no host has anything.
    install(pis, manager, "buildah")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "Dockerfile").write_text("FROM scratch\nCOPY what-is-not-there /\n")
    on = ("--on", manager)
    refused_build = controller.run("images", "build", str(broken), "--tag", "app:1", *on)
    assert refused_build.status == 1 and "what-is-not-there" in refused_build.stderr, refused_build.said[-3000:]

    say(app, "hello 1")
    assert controller.run("images", "build", str(app), "--tag", "app:1", *on).status == 0
    (kept,) = [path for path in store.iterdir() if _is_image(path, "app:1")]
    saved = tmp_path / "app.tar"
    saved.write_bytes(kept.read_bytes())

    # For another architecture than any host's.
    other = tmp_path / "other.tar"
    _as_if_for("s390x", saved, other)
    refused(2, "images", "load", str(other), "--tag", "other:1", about=("other:1 is for s390x", manager))

    # An image of that name that somebody else brought is not touched, and its host named.
    pis.shell(last, "ctr -n k8s.io images tag docker.io/library/app:1 docker.io/library/web:1")
    say(app, "hello 2")
    theirs = controller.run("images", "build", str(app), "--tag", "web:1", *on)
    assert theirs.status == 1 and "bramble did not bring it" in theirs.about(last), theirs.said[-3000:]
    pis.shell(last, "ctr -n k8s.io images remove docker.io/library/web:1")
    assert controller.run("deploy", "images").status == 0

    # Gone from a host, it is missed by name, and comes back.
    pis.shell(worker, "ctr -n k8s.io images remove --sync docker.io/library/app:1")
    missed = controller.run("verify", "images")
    assert missed.status == 3 and "app:1" in missed.about(worker), missed.said[-3000:]
    assert controller.run("deploy", "images").status == 0 and controller.run("verify", "images").status == 0

    # Cut off in the middle, and run again. The last host has it from the one before, so all is under way by then.
    running = controller.start("images", "load", str(saved), "--tag", "cut:1")
    running.until("group-started", group="Images")
    running.kill()
    running.finish()
    again = controller.json("images", "load", str(saved), "--tag", "cut:1")
    assert again.status == 0 and again.report["verified"] is True, again.said[-3000:]

    # Tampered with on the controller, it is not believed; gone from there, it is told what to do.
    for name in ("app:1", "web:1", "cut:1"):
        pis.shell(last, f"ctr -n k8s.io images remove --sync docker.io/library/{name}")
    content = bytearray(kept.read_bytes())
    content[-2000] ^= 1
    kept.write_bytes(content)
    tampered = controller.run("deploy", "images")
    assert tampered.status == 1 and "no host was touched" in tampered.stderr, tampered.said[-3000:]
    assert "SHA-256" in tampered.stderr and "bramble images load" in tampered.stderr, tampered.said[-3000:]
    kept.unlink()
    gone = controller.run("deploy", "images")
    assert gone.status == 1 and "bramble images load" in gone.about(last), gone.said[-3000:]
    loaded = controller.json("images", "load", str(saved), "--tag", "app:1")
    assert loaded.status == 0 and loaded.report["verified"] is True, loaded.said[-3000:]

    # All gone again: containerd, which was there for them alone, too.
    assert controller.run("images", "remove", "app:1", "--yes").status == 0
    assert images_on(pis, last) == ["docker.io/library/cut:1", "docker.io/library/web:1"]
    assert controller.run("images", "remove", "web:1", "cut:1", "--yes").status == 0
    assert pis.shell(last, "which ctr || echo none").strip() == "none"

    # No room for what comes: the host says so and is not left full; the others have it.
    pis.small_disk(last, "/var/lib/containerd", 64 << 20)
    large = tmp_path / "large.tar"
    _of_one_file(os.urandom(45 << 20), large)
    full = controller.run("images", "load", str(large))
    assert full.status == 1 and "no space left" in full.about(last) and "df -h" in full.about(last), full.said[-3000:]
    assert images_on(pis, worker) == ["docker.io/me/large:1"] and images_on(pis, last) == []
    assert int(pis.shell(last, "df --output=used -B1 /var/lib/containerd | tail -1")) < 40 << 20


def _of_one_file(data: bytes, out: Path) -> None:
    """An image that holds one file, as ``podman save`` writes it."""

    def packed(files: dict[str, bytes]) -> bytes:
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return made.getvalue()

    layer = packed({"data": data})
    diff = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    about = {"architecture": architecture(), "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff]}}
    listed = [{"Config": "about.json", "RepoTags": ["localhost/me/large:1"], "Layers": ["layer.tar"]}]
    files = {"about.json": json.dumps(about).encode(), "manifest.json": json.dumps(listed).encode(), "layer.tar": layer}
    out.write_bytes(packed(files))


def _is_image(path: Path, name: str) -> bool:
    try:
        with tarfile.open(path, "r:") as archive:
            listed = archive.extractfile("manifest.json")
            return listed is not None and json.load(listed)[0]["RepoTags"] == [name]
    except (tarfile.TarError, KeyError):
        return False


def _as_if_for(architecture: str, source: Path, out: Path) -> None:
    """The same image, its configuration saying another architecture; as ``docker save`` writes it."""
    with tarfile.open(source) as old, tarfile.open(out, "w") as new:
        listed = json.load(old.extractfile("manifest.json"))  # type: ignore[arg-type]
        about = json.load(old.extractfile(listed[0]["Config"]))  # type: ignore[arg-type]
        changed = json.dumps({**about, "architecture": architecture}).encode()
        for entry in old.getmembers():
            if entry.name in ("index.json", "oci-layout"):
                continue
            data = changed if entry.name == listed[0]["Config"] else old.extractfile(entry).read()  # type: ignore[union-attr]
            entry.size = len(data)
            new.addfile(entry, io.BytesIO(data))
