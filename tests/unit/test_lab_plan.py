"""What the lab works out before it touches anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bramble.errors import BrambleError, UsageError
from bramble.lab import archive, clusterfile, founding, requirements, snapshots, state
from bramble.lab.archive import Source
from bramble.lab.process import ProcessId, start_time
from bramble.lab.state import HostSpec, LabSpec

DEBIAN = """\
http://archive.example/debian/|bookworm|bookworm|main
http://archive.example/debian/|bookworm|bookworm|contrib
http://archive.example/debian/|bookworm-updates|bookworm-updates|main
http://archive.example/security/|bookworm-security|bookworm-security|main
http://elsewhere.example/apt/|nodistro|nodistro|main
http://archive.example/debian/|bookworm-backports|bookworm-backports|main
"""
STABLE = """\
http://archive.example/debian/|bookworm|stable|main
http://archive.example/security/|bookworm-security|stable-security|main
"""
UBUNTU = """\
http://archive.example/ubuntu/|noble|noble|main
http://archive.example/ubuntu/|noble|noble|universe
http://archive.example/ubuntu/|noble-updates|noble-updates|main
http://security.example/ubuntu/|noble-security|noble-security|main
"""


def answers(monkeypatch: pytest.MonkeyPatch, listing: str, system: dict[str, str]) -> None:
    monkeypatch.setattr(archive, "run", lambda *_args, **_options: listing)
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: system)


@pytest.mark.parametrize("listing", [DEBIAN, STABLE])
def test_sources_of_another_release_are_those_of_the_machine(monkeypatch: pytest.MonkeyPatch, listing: str) -> None:
    answers(monkeypatch, listing, {"ID": "debian", "VERSION_CODENAME": "bookworm"})
    release = archive.candidate("trixie")
    assert release.sources[0].uri == "http://archive.example/debian/"
    assert release.sources[0].suite == "trixie"
    assert (
        Source(uri="http://archive.example/security/", suite="trixie-security", components=("main",)) in release.sources
    )
    assert not any("elsewhere" in source.uri for source in release.sources)
    assert release.family == "debian"


def test_components_are_kept_together(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, UBUNTU, {"ID": "ubuntu", "ID_LIKE": "debian", "VERSION_CODENAME": "noble"})
    release = archive.candidate("jammy")
    assert release.sources[0].line() == "deb http://archive.example/ubuntu/ jammy main universe"
    assert [source.suite for source in release.sources] == ["jammy", "jammy-security", "jammy-updates"]
    assert release.keyring.endswith("ubuntu-archive-keyring.gpg")


def test_a_system_made_from_ubuntu_counts_as_it(monkeypatch: pytest.MonkeyPatch) -> None:
    mint = {"ID": "linuxmint", "ID_LIKE": "ubuntu debian", "VERSION_CODENAME": "wilma", "UBUNTU_CODENAME": "noble"}
    answers(monkeypatch, UBUNTU, mint)
    assert archive.machine_release() == ("ubuntu", "noble")


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "", {"ID": "fedora", "PRETTY_NAME": "Fedora Linux 42"})
    with pytest.raises(UsageError, match="needs Debian or Ubuntu: this is Fedora Linux 42"):
        archive.candidate("bookworm")


def test_a_machine_without_an_index_is_told_to_fetch_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "", {"ID": "debian", "VERSION_CODENAME": "bookworm"})
    with pytest.raises(UsageError, match="hint: apt-get update"):
        archive.candidate("bookworm")


@pytest.mark.parametrize("name", ["Bookworm", "12", "../etc", "", "a b"])
def test_what_is_no_release_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no release"):
        archive.candidate(name)


def test_settings_for_reaching_the_archive_are_carried_over_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    dump = """\
APT::Update::Post-Invoke:: "rm -f /var/cache/apt/*.bin";
Acquire::http::Proxy "http://proxy.example:3142";
Acquire::https::CaInfo "/etc/ssl/own.pem";
Acquire::Check-Date "false";
Acquire::IndexTargets::deb::Packages::MetaKey "x";
Acquire::https "";
"""
    monkeypatch.setattr(archive, "run", lambda *_args, **_options: dump)
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.setenv("https_proxy", "http://other.example:3128")
    assert archive.apt_settings().splitlines()[1:] == [
        'Acquire::Check-Date "false";',
        'Acquire::http::Proxy "http://proxy.example:3142";',
        'Acquire::https::CaInfo "/etc/ssl/own.pem";',
        'Acquire::https::Proxy "http://other.example:3128";',
    ]
    assert archive.proxy_environment() == {
        "http_proxy": "http://proxy.example:3142",
        "https_proxy": "http://other.example:3128",
    }


def test_without_root_one_is_told_so_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr("shutil.which", lambda program, path: None if program == "nft" else program)
    with pytest.raises(UsageError) as caught:
        requirements.require()
    assert str(caught.value) == (
        "the lab needs root: it makes network namespaces, mounts and containers\n"
        "  hint: run the same command with sudo, after: sudo apt-get install nftables"
    )
    assert caught.value.exit_code == 2


def test_missing_packages_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda program, path: None)
    with pytest.raises(UsageError) as caught:
        requirements.require()
    assert caught.value.hint == (
        "apt-get install apt debootstrap iproute2 nftables openssh-client systemd-container util-linux"
    )


def test_a_machine_that_is_full_is_told_apart_from_a_host_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements.require_room(1)
    monkeypatch.setattr(requirements, "_inotify_instances", lambda _process: 10**6)
    with pytest.raises(BrambleError) as caught:
        requirements.require_room(3)
    assert caught.value.what == "there is no room for 3 more lab hosts on this machine"
    assert "sysctl fs.inotify.max_user_instances=" in caught.value.hint


def test_without_linux_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(UsageError, match="needs Linux: this is darwin"):
        requirements.require()


@pytest.mark.parametrize("name", ["", "Red", "red1", "-red", "red-", "a/b", "x" * 31, "r d"])
def test_names_from_which_no_hosts_can_be_made_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="a lab cannot be called"):
        state.check_name(name)


@pytest.mark.parametrize(("host", "number"), [("red", 0), ("red01", 1), ("red99", 99)])
def test_host_names_and_numbers(host: str, number: int) -> None:
    assert state.host_number("red", host) == number
    assert state.host_name("red", number) == host


@pytest.mark.parametrize("host", ["red00", "red1", "red001", "blue01", "red-01", "Red01"])
def test_other_host_names_are_refused(host: str) -> None:
    with pytest.raises(UsageError, match="is no host name of lab red"):
        state.host_number("red", host)


def lab_of(*numbers: int, name: str = "red") -> LabSpec:
    hosts = tuple(
        HostSpec(name=state.host_name(name, number), number=number, release="bookworm", tree="/") for number in numbers
    )
    return LabSpec(name=name, ident="00c0de", subnet="10.77.3.0/24", hosts=hosts)


def test_names_on_the_machine_fit_the_kernel() -> None:
    lab = lab_of(0, 99)
    for host in lab.hosts:
        assert len(lab.veth(host) + "p") <= 15
    assert len(lab.bridge) <= 15
    assert state.is_bridge_name(lab.bridge)
    assert not state.is_bridge_name(lab.veth(lab.hosts[0]))
    assert [str(lab.address(host)) for host in lab.hosts] == ["10.77.3.10", "10.77.3.109"]
    assert lab.mac(lab.hosts[1]) == "02:62:00:c0:de:63"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((0,), "red"),
        ((0, 1), "red,red01"),
        ((0, 1, 2), "red,red[01-02]"),
        ((1, 2, 3, 7, 9, 10), "red[01-03,07,09-10]"),
    ],
)
def test_the_cluster_file_folds_the_hosts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, numbers: tuple[int, ...], expected: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = lab_of(*numbers)
    clusterfile.write(lab)
    text = (tmp_path / "config/bramble/clusters/lab.yaml").read_text()
    assert f'hosts: "{expected}"\n' in text
    assert f"key: {tmp_path}/state/bramble/lab/red/id_ed25519\n" in text
    for host in lab.hosts:
        assert f"  {host.name}: {lab.address(host)}\n" in text


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("trixie", ["trixie", "trixie", "trixie"]),
        ("bookworm,trixie", ["bookworm", "trixie", "bookworm"]),
        (["bookworm", "trixie", "bullseye"], ["bookworm", "trixie", "bullseye"]),
        ({"red": "trixie", "red01": "bookworm", "red02": "bookworm"}, ["trixie", "bookworm", "bookworm"]),
    ],
)
def test_releases_are_dealt_out(release: founding.Releases, expected: list[str]) -> None:
    assert [founding.release_of(state.host_name("red", n), n, release) for n in range(3)] == expected


def test_a_host_without_a_release_is_named() -> None:
    with pytest.raises(UsageError, match="no release is given for red01"):
        founding.release_of("red01", 1, {"red": "bookworm"})


def test_a_lock_whose_file_was_removed_is_taken_anew(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with state.locked(file, "busy"):
        file.unlink()
        with state.locked(file, "busy"):
            pass
        with (
            state.locked(file, "busy"),
            pytest.raises(Exception, match="busy"),
            state.locked(file, "busy", seconds=0.1),
        ):
            pass


def test_a_recycled_process_number_is_never_signalled() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        mine = ProcessId.of(process.pid)
        assert mine.alive()
        impostor = ProcessId(pid=process.pid, started=mine.started - 1)
        assert not impostor.kill()
        assert process.poll() is None
        assert mine.kill()
        assert process.wait() == -9
        assert not mine.kill()
    assert start_time(process.pid) is None
    assert start_time(os.getpid()) is not None


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("/proc/1", True),
        ("/proc", False),
        ("/processes", False),
        ("/var/log/slurm/x.log", True),
        ("/var/logs", False),
        ("/etc/passwd-", True),
        ("/etc/passwd", False),
        ("/etc/slurm/slurm.conf", False),
        ("/var/lib/dpkg/status", True),
        ("/var/lib/dpkg/info/munge.list", False),
        ("/usr/lib/python3/__pycache__", True),
        ("/var/lib/bramble/journal", False),
        ("/var/cache/slurm", False),
    ],
)
def test_snapshots_leave_out_only_what_changes_by_itself(path: str, left_out: bool) -> None:
    assert bool(snapshots._LEFT_OUT.fullmatch(path)) == left_out
    assert all(snapshots.LEFT_OUT.values()), "each with a reason"


def test_snapshots_are_compared_line_by_line() -> None:
    before = {"files": {"/a": "1", "/b": "2"}, "units": {}}
    after = {"files": {"/a": "1", "/b": "3", "/c": "4"}, "units": {"x.service": "active"}}
    assert snapshots.diff_snapshots(before, before) == []
    assert snapshots.diff_snapshots(before, after) == [
        "files: /b: 2 -> 3",
        "files: /c: new (4)",
        "units: x.service: new (active)",
    ]
    assert snapshots.diff_snapshots(after, before)[1] == "files: /c: gone (was 4)"
