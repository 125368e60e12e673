"""Hosts that are reached but not fit: no Python, a full or read-only disk, apt in use or without a mirror, a clock."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.lab.controller import ROOMS, Controller
from tests.lab.test_wrong_connection import edit, healed, refused, served

from bramble import api
from bramble import lab as labs
from bramble.engine.session import Session
from bramble.errors import PlanError
from bramble.lab.testing import Lab
from bramble.runner.facts import NO_MORE, Facts, Wanted

#: Bytes; the packages that the lab lends to a new host must fit, too.
DISK = 512 << 20


def test_no_python(controller: Controller, fresh_lab: Lab) -> None:
    fresh_lab.shell("red01", "mv /usr/bin/python3 /usr/bin/python3.away")
    done = controller.run("deploy", "beacon")
    refused(done, "red01", "python3 is not there", "apt-get install python3")
    served(fresh_lab, "red", "red02")
    fresh_lab.shell("red01", "mv /usr/bin/python3.away /usr/bin/python3")
    healed(controller, fresh_lab)


@pytest.mark.parametrize("leave", [0, 30_000])
def test_a_full_disk(controller: Controller, fresh_lab: Lab, leave: int) -> None:
    """Nothing left at all, and enough to begin with but not to end: the journal must be right in both."""
    fresh_lab.small_disk("red01", "/", DISK)
    before = fresh_lab.snapshot("red01")
    fresh_lab.fill("red01", "/", leave=leave)
    done = controller.run("deploy", "beacon")
    refused(done, "red01", "No space left on device", "df -h")
    served(fresh_lab, "red", "red02")
    fresh_lab.drain("red01", "/")
    healed(controller, fresh_lab)
    assert controller.run("remove", "beacon").status == 0
    assert labs.diff_snapshots(before, fresh_lab.snapshot("red01")) == []


def test_a_full_disk_while_packages_come(controller: Controller, fresh_lab: Lab) -> None:
    fresh_lab.small_disk("red01", "/", DISK)
    fresh_lab.fill("red01", "/", leave=100_000)
    done = controller.run("deploy", "beacon", "--set", "package=hello")
    refused(done, "red01", "space")
    served(fresh_lab, "red", "red02")
    fresh_lab.drain("red01", "/")
    healed(controller, fresh_lab)


def test_a_read_only_file_system(controller: Controller, fresh_lab: Lab) -> None:
    """As a worn card leaves it."""
    fresh_lab.shell("red01", "journalctl --relinquish-var; mount -o remount,bind,ro /")
    done = controller.run("deploy", "beacon")
    refused(done, "red01", "Read-only file system", "card")
    served(fresh_lab, "red", "red02")
    fresh_lab.execute("red01", "mount", "-o", "remount,bind,rw", "/")
    healed(controller, fresh_lab)


HOLD = """
import fcntl, os, sys, time
handle = os.open("/var/lib/dpkg/lock-frontend", os.O_RDWR | os.O_CREAT, 0o640)
fcntl.lockf(handle, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def apt_held(lab: Lab, host: str) -> Iterator[subprocess.Popen[str]]:
    """Something else on a host holds apt's lock, as an upgrade by itself does."""
    address = lab.address(host)
    words = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-i", lab.status.key]
    words += ["-o", f"UserKnownHostsFile={lab.status.known_hosts}", f"pi@{address}", "sudo", "python3", "-c"]
    holder = subprocess.Popen(
        [*words, f"'{HOLD}'"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert holder.stdin and holder.stdout
    try:
        assert holder.stdout.readline().strip() == "held"
        yield holder
    finally:
        holder.stdin.close()
        holder.wait(20)
        holder.stdout.close()


def test_apt_is_waited_for_and_the_holder_named(controller: Controller, fresh_lab: Lab) -> None:
    with apt_held(fresh_lab, "red01") as holder:
        run = controller.start("deploy", "beacon", "--set", "package=hello")
        event = run.until("step-progress", host="red01", text="waits for")
        assert "waits for python3 (pid " in event["text"]
        assert holder.stdin
        holder.stdin.close()
        done = run.finish()
    assert done.status == 0, done.said
    assert done.report["verified"] is True


NO_MIRROR = """
cp -a /etc/apt /root/apt
rm -f /var/cache/apt/archives/*.deb
find /etc/apt -name 'sources*' -type f -o -path '*sources.list.d/*' -type f | xargs sed -i -E 's#https?://[^/ ]+#http://127.0.0.1:9#'
"""


def test_no_mirror(controller: Controller, fresh_lab: Lab) -> None:
    """The archive of the distribution does not answer, and the package is not on the host."""
    fresh_lab.shell("red01", NO_MIRROR)
    done = controller.run("deploy", "beacon", "--set", "package=hello")
    refused(done, "red01", "127.0.0.1")
    served(fresh_lab, "red", "red02")
    fresh_lab.shell("red01", "rm -rf /etc/apt; mv /root/apt /etc/apt")
    healed(controller, fresh_lab)


def test_a_package_that_does_not_exist(controller: Controller, fresh_lab: Lab) -> None:
    done = controller.run("deploy", "beacon", "--set", "package=no-such-package-anywhere")
    assert done.status == 1
    told = done.about("red")
    assert "no-such-package-anywhere" in told and "hint:" in told
    assert controller.run("remove", "beacon").status == 0


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> str:
    """The host whose facts tell of a clock an hour behind (a lab's hosts share the machine's clock)."""
    asked = Session.facts

    async def facts(self: Session, wanted: Wanted = NO_MORE) -> Facts:
        found = await asked(self, wanted)
        if self.name != "red01":
            return found
        return Facts.from_json({**vars(found), "clock": found.clock - 3600, "skew": found.skew - 3600})

    monkeypatch.setattr(Session, "facts", facts)
    monkeypatch.syspath_prepend(str(ROOMS))
    return "red01"


def test_a_clock_that_is_an_hour_off(
    controller: Controller, fresh_lab: Lab, slow_clock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Munge's credentials would be out of date before they arrive: Slurm is refused before anything is changed."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, controller.env[name])
    before = {host: labs.snapshot("red", host) for host in fresh_lab.hosts}
    checked = api.run(api.hosts_check(cluster=controller.cluster))
    assert [check.ok for check in checked] == [True, False, True]
    assert "clock is 3600 s behind" in " ".join(checked[1].problems)
    with pytest.raises(PlanError, match=slow_clock) as refusal:
        api.run(api.deploy("slurm", cluster=controller.cluster))
    assert "clock" in str(refusal.value) and "hint:" in str(refusal.value)
    assert {host: labs.snapshot("red", host) for host in fresh_lab.hosts} == before


def test_a_file_edited_by_hand_is_kept_and_named(controller: Controller, fresh_lab: Lab) -> None:
    assert controller.run("deploy", "beacon").status == 0
    mine = "What I wrote myself.\n"
    fresh_lab.shell("red01", f"printf '{mine}' > /etc/issue".replace("\n", "\\n"))
    done = controller.run("remove", "beacon")
    assert done.status == 0, done.said
    told = done.about("red01")
    assert "/etc/issue" in told and "changed" in told
    assert fresh_lab.execute("red01", "cat", "/etc/issue") == mine
    assert "Debian" in fresh_lab.execute("red02", "cat", "/etc/issue")


def test_a_service_removed_twice(controller: Controller, fresh_lab: Lab) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    assert controller.run("deploy", "beacon").status == 0
    assert controller.run("remove", "beacon").status == 0
    done = controller.run("remove", "beacon")
    assert done.status == 0
    assert "beacon is not on red,red[01-02]: nothing to do" in done.stdout
    for host, found in before.items():
        assert labs.diff_snapshots(found, fresh_lab.snapshot(host)) == []


def test_a_journal_that_somebody_broke_is_named_with_its_line(controller: Controller, fresh_lab: Lab) -> None:
    assert controller.run("deploy", "beacon").status == 0
    journal = "/var/lib/bramble/journal.jsonl"
    fresh_lab.shell("red01", f"cp {journal} /root/journal; sed -i '2s/.*/{{broken/' {journal}")
    done = controller.run("deploy", "beacon", "--set", "word=again")
    refused(done, "red01", f"line 2 of {journal}")
    fresh_lab.shell("red01", f"cp /root/journal {journal}; rm /root/journal")
    healed(controller, fresh_lab)
    assert json.loads(fresh_lab.execute("red01", "cat", "/etc/beacon/settings.json"))["word"] == "again"


def test_a_cluster_file_edited_between_runs_is_followed(controller: Controller, fresh_lab: Lab) -> None:
    """Comments that a person wrote survive what bramble writes."""
    edit(controller, "user: pi", "user: pi  # the usual one")
    assert controller.run("deploy", "beacon", "--set", "word=first").status == 0
    assert "# the usual one" in controller.cluster_file.read_text()
    edit(controller, "first", "second")
    assert controller.run("deploy", "beacon").status == 0
    assert json.loads(fresh_lab.execute("red", "cat", "/etc/beacon/settings.json"))["word"] == "second"
