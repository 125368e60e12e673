"""Steps where something is in the way: on real hosts, with the message that a person gets, and a way on."""

from __future__ import annotations

import re
import time

import pytest

from bramble import lab as labs
from bramble.errors import HostError
from bramble.lab.stepping import Stepping
from bramble.lab.testing import Lab
from bramble.runner.steps import Command, Directory, File, KernelArgument, Package, Reboot, Sysctl, Unit, User, Wait

HOST = "red"

#: Holds apt's lock for some seconds; prints its process.
HOLD = """systemd-run -q --collect --unit=holder python3 -c '
import fcntl, time
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
open("/run/holding", "w")
time.sleep({seconds})'
while [ ! -e /run/holding ]; do sleep 0.1; done
systemctl show -P MainPID holder
"""

BROKEN_UNIT = """[Unit]
Description=A daemon that does not start
{unit}
[Service]
ExecStart=/bin/sh -c 'echo the configuration is wrong; exit 7'
"""


def runner() -> Stepping:
    return Stepping(HOST, HOST)


# Packages


def test_a_held_lock_is_waited_for_and_its_holder_named(fresh_lab: Lab) -> None:
    holder = fresh_lab.shell(HOST, HOLD.format(seconds=6)).strip()
    with runner() as red:
        failure = red.group(Package(names=("sl",)), timeout=2).failure
        assert failure["what"] == "another program is at work with packages on this host"
        assert f"python3 (pid {holder})" in failure["why"]
        work = red.group(Package(names=("sl",)), timeout=120)
        assert work.outcomes == ["changed"]
        assert f"waits for python3 (pid {holder}), which is at work with packages" in work.progress


def test_a_name_with_a_typing_error_gets_a_near_one(lab: Lab) -> None:
    with runner() as red:
        failure = red.group(Package(names=("mungee",))).failure
    assert failure["why"] == "this release has no package mungee"
    assert "munge" in failure["hint"]


def test_a_mirror_that_is_gone_is_named(fresh_lab: Lab) -> None:
    fresh_lab.shell(
        HOST,
        "rm -rf /var/lib/apt/lists/*; "
        "sed -i 's,//[^/]*/,//mirror.invalid/,' $(find /etc/apt -name '*.list' -o -name '*.sources')",
    )
    with runner() as red:
        failure = red.group(Package(names=("munge",))).failure
    assert "this host does not reach mirror.invalid" in failure["why"]
    assert "getent hosts mirror.invalid" in failure["hint"]


def test_a_full_disk_is_told_and_the_next_run_goes_on(fresh_lab: Lab) -> None:
    before = fresh_lab.snapshot(HOST)
    fresh_lab.small_disk(HOST, "/", 60 << 20)
    fresh_lab.fill(HOST, "/", 1 << 20)
    with runner() as red:
        failure = red.group(Package(names=("munge", "slurmd"))).failure
        assert "df -h" in failure["hint"], failure
        fresh_lab.drain(HOST, "/")
        assert red.group(Package(names=("munge", "slurmd"))).outcomes == ["changed"]
        assert red.undo().outcomes == ["undone"]
    assert _differs(before, fresh_lab) == []


def test_a_read_only_card_is_told(fresh_lab: Lab) -> None:
    # Only this folder: the kernel refuses it for all of / as long as somebody writes a log.
    fresh_lab.shell(HOST, "mount --bind /etc /etc; mount -o remount,bind,ro /etc")
    try:
        with runner() as red:
            failure = red.group(File(path="/etc/new", content="x")).failure
    finally:
        fresh_lab.execute(HOST, "umount", "/etc")
    assert failure["what"] == "/etc/new cannot be written or read"
    assert failure["why"] == "Read-only file system" and "card" in failure["hint"]


@pytest.mark.parametrize("moment", ["status unpacked slurmd", "configure munge"])
def test_a_power_cut_while_dpkg_works_is_made_up_for(fresh_lab: Lab, moment: str) -> None:
    before = fresh_lab.snapshot(HOST)
    names = ("munge", "slurmd")
    red = runner()
    red.send_group(Package(names=names))
    _wait_for(fresh_lab, f"grep -q '{moment}' /var/log/dpkg.log")
    fresh_lab.kill(HOST)
    with pytest.raises(EOFError):
        red.result()
    red.kill()
    fresh_lab.start(HOST)
    with runner() as red:
        work = red.group(Package(names=names))
        assert work.outcomes == ["changed"], work.messages[-1]
        assert red.group(Package(names=names)).outcomes == ["unchanged"]
        assert red.undo().outcomes == ["undone"]
    assert _differs(before, fresh_lab) == []


def test_an_interrupt_waits_for_dpkg(fresh_lab: Lab) -> None:
    with runner() as red:
        red.send_group(Package(names=("munge", "slurmd")), File(path="/etc/after", content=""))
        _wait_for(fresh_lab, "test -e /var/lib/bramble/packages.arriving")
        red.cancel()
        assert red.result().outcomes[-1] == "cancelled"
    assert "install ok installed" in fresh_lab.execute(HOST, "dpkg-query", "-W", "-f=${Status}", "slurmd")
    assert fresh_lab.execute(HOST, "dpkg", "--audit") == ""


def test_what_a_user_installed_since_keeps_what_it_needs(fresh_lab: Lab) -> None:
    with runner() as red:
        red.group(Package(names=("munge", "sl")))
        fresh_lab.shell(HOST, "DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends slurm-client")
        work = red.undo()
    assert work.outcomes == ["kept"]
    assert work.summaries == ["munge stays, because slurm-client needs it"]
    assert fresh_lab.execute(HOST, "dpkg-query", "-W", "-f=${Package} ", "munge", "sl", check=False) == "munge "
    assert "munge" in fresh_lab.execute(HOST, "apt-mark", "showauto").split()


def test_two_services_share_what_both_need(fresh_lab: Lab) -> None:
    before = fresh_lab.snapshot(HOST)
    with Stepping(HOST, HOST, "one") as red:
        red.group(Package(names=("munge",)))
    with Stepping(HOST, HOST, "two") as red:
        # A companion of munge, that the second service asks for by name.
        assert red.group(Package(names=("libmunge2", "sl"))).outcomes == ["changed"]
    with Stepping(HOST, HOST, "one") as red:
        assert red.undo().outcomes == ["undone"]
    assert "installed" in fresh_lab.execute(HOST, "dpkg-query", "-W", "-f=${Status}", "libmunge2")
    with Stepping(HOST, HOST, "two") as red:
        assert red.undo().outcomes == ["undone"]
    assert _differs(before, fresh_lab) == []


def test_configuration_that_somebody_edited_outlives_the_purge(fresh_lab: Lab) -> None:
    with runner() as red:
        red.group(Package(names=("munge",)), File(path="/etc/munge/own.conf", content="ours\n"))
        fresh_lab.shell(HOST, "echo '# mine' >> /etc/default/munge; echo theirs > /etc/munge/own.conf")
        work = red.undo()
    assert work.outcomes == ["kept", "kept"]
    assert "/etc/munge/own.conf was changed by somebody since" in work.summaries[0]
    assert work.summaries[1] == "/etc/default/munge was changed by somebody, so it stays"
    assert fresh_lab.shell(HOST, "tail -n 1 /etc/default/munge; cat /etc/munge/own.conf") == "# mine\ntheirs\n"


def test_data_stays_unless_it_may_go(fresh_lab: Lab) -> None:
    steps = (Package(names=("beanstalkd",)), Directory(path="/srv/jobs", data=True))
    for purge, outcome in ((False, "kept"), (True, "undone")):
        with runner() as red:
            assert red.group(*steps).outcomes[0] == "changed"
            fresh_lab.shell(HOST, "touch /srv/jobs/one")
            assert red.undo(purge=purge).outcomes[0] == outcome
        assert fresh_lab.execute(HOST, "ls", "/srv", check=False) == ("" if purge else "jobs\n")
        fresh_lab.shell(HOST, "rm -rf /srv/jobs")


# Units, waits, users, the kernel


def test_a_unit_that_fails_shows_its_log(fresh_lab: Lab) -> None:
    unit = File(path="/etc/systemd/system/broken.service", content=BROKEN_UNIT.format(unit=""))
    with runner() as red:
        failure = red.group(unit, Unit(name="broken", enabled=None)).failure
        assert failure["what"] == "broken.service does not run"
        assert failure["why"] == "it ended with status 7"
        assert "the configuration is wrong" in failure["log"]
        began = time.monotonic()
        failure = red.group(Wait(port=9, unit="broken", deadline=60)).failure
        assert time.monotonic() - began < 20 and "the configuration is wrong" in failure["log"]
        assert red.undo().outcomes == ["undone", "undone"]
    assert "broken" not in fresh_lab.execute(HOST, "systemctl", "list-units", "--all", "--failed")


def test_a_condition_that_is_not_met_is_no_success(fresh_lab: Lab) -> None:
    text = BROKEN_UNIT.format(unit="ConditionPathExists=/etc/nowhere.conf")
    with runner() as red:
        failure = red.group(File(path="/etc/systemd/system/idle.service", content=text), Unit(name="idle")).failure
    assert "ConditionPathExists=/etc/nowhere.conf" in failure["why"]


def test_a_masked_unit_is_not_touched(fresh_lab: Lab) -> None:
    fresh_lab.execute(HOST, "systemctl", "mask", "-q", "avahi-daemon.socket")
    with runner() as red:
        failure = red.group(Unit(name="avahi-daemon.socket")).failure
    assert "sudo systemctl unmask avahi-daemon.socket" in failure["hint"]


def test_a_restart_is_made_up_for_after_a_cut_and_not_done_without_need(fresh_lab: Lab) -> None:
    unit = Unit(name="avahi-daemon", restart_on=("/etc/ours.conf",))

    def started() -> str:
        return fresh_lab.execute(HOST, "systemctl", "show", "-P", "ExecMainStartTimestampMonotonic", "avahi-daemon")

    with runner() as red:
        red.group(File(path="/etc/ours.conf", content="1"), unit)
        first = started()
        assert red.group(File(path="/etc/ours.conf", content="1"), unit).outcomes == ["unchanged", "unchanged"]
        assert started() == first
        red.group(File(path="/etc/ours.conf", content="2"))
    # Here the run was cut: the file is new, the daemon is not.
    with runner() as red:
        again = red.group(File(path="/etc/ours.conf", content="2"), unit)
        assert (again.outcomes, again.summaries[1]) == (["unchanged", "changed"], "restart")
        second = started()
        assert second != first
        # It ran before, so it runs afterwards, with the files of before.
        assert red.undo().outcomes == ["undone", "undone"]
        assert started() not in (first, second)


def test_a_user_with_processes_stays_and_is_told(fresh_lab: Lab) -> None:
    with runner() as red:
        red.group(User(name="worker"))
        fresh_lab.shell(HOST, "systemd-run -q --uid=worker --unit=busy sleep 600")
        failure = red.undo().failure
        assert failure["what"] == "the user worker cannot be deleted, because it has processes"
        assert any("sleep 600" in line for line in failure["log"])
        fresh_lab.execute(HOST, "systemctl", "stop", "busy")
        assert red.undo().outcomes == ["undone"]


def test_a_setting_of_the_machine_cannot_be_set_in_a_container(lab: Lab) -> None:
    with runner() as red:
        failure = red.group(Sysctl(key="vm.swappiness", value="1")).failure
    assert failure["what"] == "vm.swappiness cannot be set to 1" and "container" in failure["hint"]


def test_a_command_of_a_user_that_is_not_there(lab: Lab) -> None:
    with runner() as red:
        failure = red.group(Command(argv=("true",), creates="/nowhere", user="nobody-there")).failure
    assert "nobody-there" in failure["why"]


def test_a_host_restarts_for_a_kernel_argument_and_goes_on(fresh_lab: Lab) -> None:
    fresh_lab.shell(HOST, "mkdir -p /boot/firmware; echo rootwait > /boot/firmware/cmdline.txt")
    argument = KernelArgument(argument="cgroup_enable=memory")
    steps = (argument, Reboot(when=argument.resources()), File(path="/etc/after", content="x"))
    with runner() as red:
        work = red.group(*steps)
        assert work.messages[-1]["kind"] == "reboot"
        boot = work.messages[-1]["boot_id"]
    _wait_for(fresh_lab, f"grep -qv {boot} /proc/sys/kernel/random/boot_id && systemctl is-system-running", 60)
    with runner() as red:
        assert red.group(*steps).outcomes == ["unchanged", "unchanged", "changed"]


def _differs(before: labs.Snapshot, lab: Lab) -> list[str]:
    """What differs, but for the lab's own mounts and what a power cut leaves of groupadd's work."""
    passing = re.compile(r"mounts: |files: /etc/(passwd|group|shadow|gshadow)\.\d+: new")
    return [line for line in labs.diff_snapshots(before, lab.snapshot(HOST)) if not passing.match(line)]


def _wait_for(lab: Lab, script: str, seconds: float = 60.0) -> None:
    """Wait until a script succeeds in the host."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            lab.shell(HOST, script)
        except HostError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{script!r} did not come true")
