"""Packages without apt: dpkg's files, who needs whom, who holds a lock, and what a failure means."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.disk import Disk, change

from bramble.runner.step import Change, StepError
from bramble.runner.steps import Package
from bramble.runner.steps.apt import brought, causes, leftovers, locks, needed, rescue, status, transaction
from bramble.runner.system import Cancelled, Output

STATUS = """Package: munge
Status: install ok installed
Priority: optional
Version: 0.5.15-2
Depends: libmunge2 (= 0.5.15-2), libc6 (>= 2.34), adduser | sysusers
Conffiles:
 /etc/default/munge 900150983cd24fb0d6963f7d28e17f72
 /etc/logrotate.d/munge 00000000000000000000000000000000 obsolete
Description: authentication

Package: libmunge2
Status: install ok installed
Architecture: amd64
Depends: libc6

Package: libc6
Essential: no
Protected: no
Status: install ok installed
Architecture: amd64

Package: libc6
Status: deinstall ok config-files
Architecture: i386

Package: slurmd
Status: install ok half-configured
Pre-Depends: munge
Provides: slurm-node (= 1)

Package: gone
Status: deinstall ok config-files
"""


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    disk = Disk(tmp_path)
    disk.put(status.STATUS, STATUS)
    return disk


# status


def test_the_states_are_dpkgs(disk: Disk) -> None:
    assert status.states(disk) == {
        "munge": "installed",
        "libmunge2": "installed",
        "libc6": "installed",
        "slurmd": "half-configured",
        "gone": "config-files",
    }
    assert status.present(disk) == {"munge", "libmunge2", "libc6", "slurmd"}


def test_what_is_on_the_disk_is_known_with_its_needs_and_its_configuration(disk: Disk) -> None:
    here = status.installed(disk)
    assert here["munge"].depends == (("libmunge2",), ("libc6",), ("adduser", "sysusers"))
    assert here["munge"].configuration[0] == ("/etc/default/munge", "900150983cd24fb0d6963f7d28e17f72")
    assert here["slurmd"].depends == (("munge",),) and here["slurmd"].provides == ("slurm-node",)
    assert "gone" not in here


def test_a_cut_is_seen_in_the_states_and_in_the_updates(disk: Disk) -> None:
    assert status.interrupted(disk)
    disk.put(status.STATUS, STATUS.replace("half-configured", "installed"))
    status.forget(disk)
    assert not status.interrupted(disk)
    disk.put("/var/lib/dpkg/updates/0001")
    assert status.interrupted(disk)


def test_the_step_asks_only_for_what_is_missing(disk: Disk) -> None:
    answer = change(Package(names=("munge", "slurmd", "gone", "new")), disk)
    assert answer.summary == "install slurmd, gone, new"
    assert answer.before["Package gone"] == {"state": "config-files"}
    assert Package(names=("munge", "libc6")).check(disk) is None


def test_a_host_without_dpkg_is_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no dpkg"):
        Package(names=("munge",)).check(Disk(tmp_path))


@pytest.mark.parametrize("names", [(), ("",), ("munge-",), ("-y",), ("a b",), ("./x.deb",), ("~i",)])
def test_what_apt_would_take_for_something_else_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        Package(names=names)


# needed


def package(name: str, *depends: str, provides: tuple[str, ...] = ()) -> status.Package:
    return status.Package(name, tuple(tuple(group.split("|")) for group in depends), provides)


def world(*packages: status.Package) -> dict[str, status.Package]:
    return {package.name: package for package in packages}


def test_what_others_need_stays_and_they_are_named() -> None:
    here = world(package("theirs", "b"), package("a", "b"), package("b", "c"), package("c"), package("d"))
    going, users = needed.removable(here, {"a", "b", "c", "d"})
    assert going == {"a", "d"}
    assert needed.users_of(users, "c", {"a", "b", "c", "d"}) == ("theirs",)


def test_one_of_two_that_would_do_may_go_but_not_both() -> None:
    here = world(package("theirs", "mta"), package("x", provides=("mta",)), package("y", provides=("mta",)))
    assert needed.removable(here, {"x"})[0] == {"x"}
    assert needed.removable(here, {"x", "y"})[0] == set()


NAMES = st.sampled_from("abcdef")


@given(
    edges=st.sets(st.tuples(NAMES, NAMES), max_size=15),
    candidates=st.sets(NAMES),
)
def test_nothing_that_stays_ever_loses_what_it_needs(edges: set[tuple[str, str]], candidates: set[str]) -> None:
    here = world(*(package(name, *(b for a, b in edges if a == name)) for name in "abcdef"))
    going, users = needed.removable(here, candidates)
    assert going <= candidates
    assert not any(a not in going and b in going for a, b in edges)
    # And nothing stays without somebody in the end who is not ours.
    for name in candidates - going:
        assert needed.users_of(users, name, candidates)


# locks


@pytest.fixture
def held(disk: Disk) -> subprocess.Popen[bytes]:
    """Another process that holds dpkg's lock until its input ends."""
    path = disk.put("/var/lib/dpkg/lock-frontend")
    code = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True);"
        "sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline()
    process.stdout.close()
    return process


def release(process: subprocess.Popen[bytes]) -> None:
    process.communicate()


def test_who_holds_the_lock_is_named_when_the_time_is_over(disk: Disk, held: subprocess.Popen[bytes]) -> None:
    disk.deadline = time.monotonic() + 0.1
    said: list[str] = []
    disk.progress = said.append
    with pytest.raises(StepError, match="another program is at work") as raised:
        locks.wait(disk)
    assert f"(pid {held.pid})" in raised.value.why and f"ps -fp {held.pid}" in raised.value.hint
    assert f"(pid {held.pid})" in said[0]
    release(held)


def test_the_lock_is_waited_for_and_asking_does_not_take_it(disk: Disk, held: subprocess.Popen[bytes]) -> None:
    disk.progress = lambda text: release(held)
    locks.wait(disk)
    with open(disk.path("/var/lib/dpkg/lock-frontend"), "w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_an_interrupt_ends_the_wait(disk: Disk, held: subprocess.Popen[bytes]) -> None:
    disk.cancel.set()
    with pytest.raises(Cancelled):
        locks.wait(disk)
    release(held)


# transaction


def test_the_index_is_as_old_as_its_last_fetch(disk: Disk) -> None:
    assert transaction.index_age(disk) == float("inf")
    lists = disk.put("/var/lib/apt/lists/mirror_Packages").parent
    assert transaction.index_age(disk) < 60
    os.utime(lists, (time.time() - 1e6,) * 2)
    assert transaction.index_age(disk) == pytest.approx(1e6, abs=60)


def test_what_is_about_to_arrive_is_read_from_apts_own_words(disk: Disk) -> None:
    disk.put(
        transaction.ARRIVING,
        "VERSION 2\nAPT::Architecture=amd64\nquiet - < 1 /x\n\n"
        "munge - < 0.5 /var/cache/munge.deb\nperl-base 5.1 < 5.2 /var/cache/perl.deb\n"
        "libx:amd64 - < 1 /var/cache/libx.deb\n",
    )
    assert transaction.arriving(disk) == {
        "munge": ("-", "0.5"),
        "perl-base": ("5.1", "5.2"),
        "libx": ("-", "1"),
    }


def test_a_policy_of_the_hosts_own_is_left_and_one_that_a_cut_left_is_taken_over(disk: Disk) -> None:
    policy = disk.put(transaction.POLICY, "#!/bin/sh\nexit 0\n")
    assert transaction._forbid_start(disk) is False
    policy.write_text(transaction.POLICY_TEXT)
    assert transaction._forbid_start(disk) is True
    policy.unlink()
    assert transaction._forbid_start(disk) is True
    assert subprocess.run([policy], env={}, check=False).returncode == 0
    assert subprocess.run([policy], env={"BRAMBLE_NO_START": "1"}, check=False).returncode == 101


# causes


FAILURES = tomllib.loads(Path(__file__).with_name("apt_failures.toml").read_text())["failure"]


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case["name"])
def test_a_failure_is_put_into_words(disk: Disk, monkeypatch: pytest.MonkeyPatch, case: dict[str, str]) -> None:
    monkeypatch.setattr(causes, "near", lambda system, name: ["munge"] if name == "mungee" else [])
    error = causes.explain(disk, Output(100, "", case["said"]), "munge could not be installed")
    assert error.what == "munge could not be installed" and error.log
    assert error.why == case["why"]
    assert error.hint == case["hint"]


# brought, leftovers, rescue


def arrive(disk: Disk, name: str) -> None:
    """Play apt: the package is there now."""
    disk.put(status.STATUS, f"{disk.text(status.STATUS)}\nPackage: {name}\nStatus: install ok installed\n")
    disk.put(transaction.ARRIVING, f"VERSION 2\n\n{name} - < 1 /x.deb\n")
    status.forget(disk)


def leave(disk: Disk, name: str) -> None:
    gone = f"\nPackage: {name}\nStatus: install ok installed\n"
    disk.put(status.STATUS, disk.text(status.STATUS).replace(gone, ""))
    status.forget(disk)


def test_what_a_cut_transaction_brought_is_known_to_the_next_run(disk: Disk) -> None:
    disk.put("/etc/mysql-theirs/x")
    brought.expect(disk)
    assert json.loads(disk.text(brought.FILE))["pending"]
    arrive(disk, "mysql-server")
    disk.put("/var/lib/mysql/data")
    disk.put("/etc/mysql/made.cnf", "x")
    known = brought.load(disk)
    assert known.packages == {"mysql-server"} and known.pending is None
    assert list(known.batches[0].written) == ["/etc/mysql/made.cnf"]
    assert known.batches[0].leftovers(disk) == ["/etc/mysql", "/var/lib/mysql"]


def test_a_companion_of_an_earlier_service_becomes_the_later_ones_too(disk: Disk) -> None:
    brought.expect(disk)
    arrive(disk, "libx")
    brought.load(disk)
    disk.put("/var/lib/apt/extended_states", "Package: libx\nArchitecture: amd64\nAuto-Installed: 1\n\n")
    answer = change(Package(names=("munge", "libx")), disk)
    assert answer.summary == "ask for libx"
    assert answer.before == {"Package libx": {"state": "not-installed"}}
    disk.put("/var/lib/apt/extended_states", "")
    assert Package(names=("munge", "libx")).check(disk) is None


def test_a_unit_is_known_for_the_package_that_bramble_brought(disk: Disk) -> None:
    disk.put(f"{status.INFO}/theirs.list", "/lib/systemd/system/theirs.service\n")
    disk.put(f"{status.INFO}/mysql-server:amd64.list", "/lib\n/lib/systemd/system/mysql.service\n")
    brought.expect(disk)
    arrive(disk, "mysql-server")
    assert brought.brings(disk, "/usr/lib/systemd/system/mysql.service")
    assert not brought.brings(disk, "/lib/systemd/system/theirs.service")


def test_leftovers_go_with_the_last_package_but_not_data_nor_what_somebody_wrote(disk: Disk) -> None:
    disk.put("/var/log/mysql.theirs")
    brought.expect(disk)
    arrive(disk, "mysql-server")
    for path in ("/var/lib/mysql/data", "/etc/mysql/made.cnf", "/run/mysqld.pid", "/var/log/mysql/log"):
        disk.put(path)
    disk.put("/etc/mysql/theirs.cnf")
    known = brought.load(disk)
    known.batches[0].written.pop("/etc/mysql/theirs.cnf")
    assert leftovers.sweep(disk, known) == []
    assert os.path.exists(disk.path("/var/log/mysql/log"))
    leave(disk, "mysql-server")
    reasons = leftovers.sweep(disk, known)
    assert [reason.split()[0] for reason in reasons] == ["/etc/mysql/theirs.cnf", "/var/lib/mysql"]
    assert not os.path.exists(disk.path("/var/log/mysql")) and not os.path.exists(disk.path("/etc/mysql/made.cnf"))
    assert os.path.exists(disk.path("/var/log/mysql.theirs"))
    assert not os.path.exists(disk.path(brought.FILE))


def test_data_goes_where_it_may(disk: Disk) -> None:
    brought.expect(disk)
    arrive(disk, "mysql-server")
    disk.put("/var/lib/mysql/data")
    known = brought.load(disk)
    leave(disk, "mysql-server")
    disk.purge = True
    assert leftovers.sweep(disk, known) == []
    assert not os.path.exists(disk.path("/var/lib/mysql"))


def test_what_a_step_still_speaks_for_is_that_steps(disk: Disk) -> None:
    brought.expect(disk)
    arrive(disk, "mysql-server")
    disk.put("/var/log/mysql/log")
    known = brought.load(disk)
    leave(disk, "mysql-server")
    disk.claims = lambda resource: ["another"] if resource == "Directory /var/log/mysql" else []
    leftovers.sweep(disk, known)
    assert os.path.exists(disk.path("/var/log/mysql/log"))


def test_an_edited_file_is_carried_past_the_purge(disk: Disk) -> None:
    real = disk.put("/etc/default/munge", "edited", 0o640)
    disk.put("/etc/slurm/slurm.conf", "kept by an undo")
    disk.kept = ["/etc/slurm/slurm.conf"]
    known = brought.Brought()
    assert rescue.set_aside(disk, known, {"munge"}) == ["/etc/default/munge was changed by somebody, so it stays"]
    real.unlink()
    # A cut here: the next run finds the note.
    rescue.put_back(disk, brought.load(disk))
    assert real.read_text() == "edited" and real.stat().st_mode & 0o777 == 0o640


def test_a_file_that_outlived_the_purge_by_itself_is_left_as_it_is(disk: Disk) -> None:
    real = disk.put("/etc/default/munge", "edited")
    rescue.set_aside(disk, brought.Brought(), {"munge"})
    real.write_text("edited once more, after a cut")
    rescue.put_back(disk, brought.load(disk))
    assert real.read_text() == "edited once more, after a cut"


def test_a_file_as_it_was_delivered_is_not_rescued(disk: Disk) -> None:
    disk.put("/etc/default/munge", "abc")  # whose MD5 the status file has
    assert rescue.set_aside(disk, brought.Brought(), {"munge"}) == []


def test_the_answer_of_the_step_is_a_change_until_apt_is_through(disk: Disk) -> None:
    assert isinstance(Package(names=("slurmd",)).check(disk), Change)
    disk.put(status.STATUS, STATUS.replace("half-configured", "installed"))
    status.forget(disk)
    assert Package(names=("slurmd",)).check(disk) is None
