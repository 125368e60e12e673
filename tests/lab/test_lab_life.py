"""From nothing to a lab and back to nothing, also when somebody is killed half-way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bramble import lab as labs
from bramble.errors import BrambleError, UsageError
from bramble.lab.state import NO_SUBNET, cache_folder, existing, labs_folder, new_lab
from bramble.lab.testing import Lab

FORWARDING = Path("/run/bramble-lab-forwarding")


def leftovers(name: str) -> list[str]:
    """All on this machine that belongs to the lab of that name."""
    lab = new_lab(name, NO_SUBNET)
    found = [link for link in os.listdir("/sys/class/net") if link.startswith(f"lab-{lab.ident}")]
    found += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"/lab/{name}/" in line]
    found += [path for path, _, _ in os.walk("/sys/fs/cgroup") if f"bramble-lab-{lab.ident}" in path]
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    found += [line for line in tables.splitlines() if lab.ident in line]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if f"/lab/{name}/" in command or f"bramble.lab.supervisor {name} " in command:
            found.append(command)
    found += [str(path) for path in (lab.folder, *Path("/run/systemd/nspawn").glob(f"*/{name}*")) if path.exists()]
    return found


def python(code: str) -> subprocess.Popen[bytes]:
    """Another command of the same user."""
    return subprocess.Popen([sys.executable, "-c", f"from bramble import lab; {code}"], stderr=subprocess.DEVNULL)


def test_down_leaves_nothing(make_lab: Callable[..., Lab]) -> None:
    green = make_lab("green", 2)
    cluster = Path(green.status.cluster_file)
    assert cluster.exists()
    assert len(leftovers("green")) > 10, "what is looked for is there while the lab is"
    green.cut("green01")
    green.pause("green")
    labs.down("green")
    assert leftovers("green") == []
    assert not cluster.exists()
    bridges = [link for link in os.listdir("/sys/class/net") if link.startswith("lab-")]
    assert FORWARDING.exists() <= bool(bridges), "the last lab takes forwarding with it"
    labs.down("green")  # twice is no error


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.5, 0.8, 1.2])
def test_up_killed_halfway_is_cleaned_by_down_and_finished_by_up(lab_folders: Path, seconds: float) -> None:
    process = python("lab.up(2, 'half')")
    time.sleep(seconds)
    process.kill()
    process.wait()
    if seconds in (0.3, 0.8):
        labs.up(2, "half")
        half = Lab("half")
        for host in half.hosts:
            assert half.ssh(host, "hostname").stdout.strip() == host
    labs.down("half")
    assert leftovers("half") == []


@pytest.mark.parametrize("seconds", [0.15, 0.25, 0.4])
def test_down_killed_halfway_is_finished_by_down(make_lab: Callable[..., Lab], seconds: float) -> None:
    make_lab("half", 2)
    process = python("lab.down('half')")
    time.sleep(seconds)
    process.kill()
    process.wait()
    labs.down("half")
    assert leftovers("half") == []


def test_everything_killed_at_once_is_seen_as_off(make_lab: Callable[..., Lab]) -> None:
    green = make_lab("green", 1)
    spec = existing("green")
    # As after a crash of the machine: processes, cables and the bridge are gone, folders and records are there.
    labs.kill("green", "green")
    subprocess.run(["ip", "link", "delete", spec.bridge], check=True)
    subprocess.run(["nft", "delete", "table", "ip", spec.table], check=True)
    assert green.status.host("green").power == "off"
    labs.up(None, "green")
    assert green.ssh("green", "hostname").stdout.strip() == "green"
    labs.down("green")
    assert leftovers("green") == []


def test_two_labs_at_once(make_lab: Callable[..., Lab]) -> None:
    one, two = python("lab.up(1, 'one')"), python("lab.up(1, 'two')")
    assert (one.wait(), two.wait()) == (0, 0)
    first, second = Lab("one"), Lab("two")
    assert first.status.subnet != second.status.subnet
    labs.down("one")
    done = second.ssh("two", "hostname && sudo apt-get -q update")
    assert done.returncode == 0, "the other one still reaches the archive"
    labs.down("two")
    assert leftovers("one") == leftovers("two") == []


def test_two_commands_on_one_lab_wait_for_each_other(lab_folders: Path) -> None:
    both = [python("lab.up(1, 'both')") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert Lab("both").ssh("both", "hostname").stdout.strip() == "both"
    # One that takes it away, and one that wants it meanwhile: it is there again, and whole.
    leaving = python("lab.down('both')")
    time.sleep(0.3)
    coming = python("lab.up(1, 'both')")
    assert (leaving.wait(), coming.wait()) == (0, 0)
    assert Lab("both").ssh("both", "hostname").stdout.strip() == "both"
    labs.down("both")
    assert leftovers("both") == []


def test_a_cluster_file_that_somebody_took_over_is_kept(make_lab: Callable[..., Lab]) -> None:
    green = make_lab("green", 1)
    file = Path(green.status.cluster_file)
    lines = file.read_text().splitlines(keepends=True)
    assert lines[0].startswith("# Written by `bramble lab up`")
    file.write_text("".join(lines[1:]))
    labs.down("green")
    assert file.exists()
    with pytest.raises(UsageError, match="is not the lab's own: it is left alone"):
        labs.up(1, "green")
    file.unlink()
    labs.down("green")
    assert leftovers("green") == []


def test_a_record_that_cannot_be_read_is_named_and_down_still_works(make_lab: Callable[..., Lab]) -> None:
    make_lab("green", 1)
    (labs_folder() / "green" / "lab.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(BrambleError, match=r"lab\.json is not a lab that this version knows: format 99") as caught:
        labs.up(1, "green")
    assert caught.value.hint == "bramble lab down --name green"
    labs.down("green")
    assert leftovers("green") == []


def test_a_release_that_the_archive_lacks(lab_folders: Path) -> None:
    with pytest.raises(UsageError, match="release nosuchone is not to be had"):
        labs.up(1, "green", "nosuchone")
    assert leftovers("green") == []


def test_a_tree_whose_building_was_killed_is_never_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", "from bramble.lab.tree import base_tree; base_tree('bookworm')"],
        stderr=subprocess.DEVNULL,
    )
    trees = cache_folder() / "trees"
    deadline = time.monotonic() + 240
    try:
        while not list(trees.glob("*.part/var/lib/dpkg")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 10
    while any(str(tmp_path).encode() in path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")):
        assert time.monotonic() < deadline, "the builder outlives its maker"
        time.sleep(0.1)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert [path.name for path in trees.iterdir() if path.is_dir() and not path.name.endswith(".part")] == []
