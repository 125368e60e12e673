"""The contract of steps, over all their types, on real hosts of each release.

Look, and nothing changes; carry out, and looking again finds nothing to do; put back, and the host is as it was, also
when it is put back once more after a cut.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from bramble import lab as labs
from bramble.lab.stepping import Stepping
from bramble.lab.testing import Lab
from bramble.runner import steps
from bramble.runner.secret import Secret
from bramble.runner.step import Step
from bramble.runner.steps import (
    AuthorizedKeys,
    Command,
    Directory,
    File,
    FirmwareSetting,
    Group,
    Hostname,
    JsonKeys,
    KernelArgument,
    Line,
    Link,
    Package,
    Password,
    Sysctl,
    Timezone,
    Tree,
    Unit,
    User,
)

#: Release to the Python that it has: the oldest promised, and the newest there is.
RELEASES = {"bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}

#: Step types that change nothing on a host that could be put back; they have tests of their own.
NOTHING_TO_PUT_BACK = {"Look", "Probe", "Reboot", "Upgrade", "Wait"}

#: What a virtual Pi has none of.
NOT_THERE = {"RadioSilence"}

#: The whole run moves along with it: test_base shows it.
MOVES = {"Address"}

#: What the engine must have brought before: shown with the services that have such steps, by the one suite.
BROUGHT = {"Artifact", "Image", "ImageArchive"}

UNIT = """[Unit]
Description=A daemon for a test
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class Case:
    """A case of the contract: ``given`` sets the stage, ``then`` must succeed once the steps are applied."""

    name: str
    steps: tuple[Step, ...]
    then: str
    given: str = ""
    releases: tuple[str, ...] = tuple(RELEASES)


def packed(**files: str) -> bytes:
    """A tar of these, all in one folder, as makers of programs pack theirs."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"made-1.0/{name}")
            entry.size, entry.mode = len(text), 0o755
            tar.addfile(entry, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("made-1.0/lib/now")
        link.type, link.linkname = tarfile.SYMTYPE, "../program"
        tar.addfile(link)
    return out.getvalue()


ARCHIVE = packed(program="#!/bin/sh\necho it runs\n")
HASH = hashlib.sha256(ARCHIVE).hexdigest()


CASES = [
    Case(
        "a new file",
        (File(path="/etc/new.conf", content="a\nb\n", mode=0o640, group="daemon"),),
        "[ \"$(stat -c '%a %U:%G' /etc/new.conf)\" = '640 root:daemon' ] && grep -qx b /etc/new.conf",
    ),
    Case(
        "a key in a JSON file that was there",
        (JsonKeys(path="/etc/theirs.json", keys={"ours": {"a": 1}, "both": "ours"}),),
        'grep -q \'"theirs": true\' /etc/theirs.json && ! grep -q \'"both": "theirs"\' /etc/theirs.json',
        given='echo \'{"theirs": true, "both": "theirs"}\' > /etc/theirs.json',
    ),
    Case(
        "a file that was there",
        (File(path="/etc/theirs.conf", content="ours\n"),),
        "[ \"$(stat -c '%a %U' /etc/theirs.conf)\" = '644 root' ] && grep -qx ours /etc/theirs.conf",
        given="echo theirs > /etc/theirs.conf; chmod 600 /etc/theirs.conf; chown nobody:daemon /etc/theirs.conf",
    ),
    Case(
        "a file with a password in it",
        (File(path="/etc/secret.conf", content=("password=", Secret("p", value=b"hunter2"), "\n"), mode=0o600),),
        "grep -qx password=hunter2 /etc/secret.conf; ! grep -r hunter2 /var/lib/bramble",
    ),
    Case(
        "a new directory and one inside",
        (Directory(path="/srv/new", mode=0o750, group="daemon"), Directory(path="/srv/new/a", mode=0o1777)),
        "[ \"$(stat -c '%a %G' /srv/new /srv/new/a | tr '\\n' ' ')\" = '750 daemon 1777 root ' ]",
    ),
    Case(
        "a directory that was there",
        (Directory(path="/srv/theirs", mode=0o700, owner="nobody", group="nogroup"),),
        "[ \"$(stat -c '%a %U' /srv/theirs)\" = '700 nobody' ]",
        given="mkdir -m 755 /srv/theirs; touch /srv/theirs/file",
    ),
    Case(
        "a directory for scratch",
        (Directory(path="/var/cache/scratch", scratch=True),),
        "mkdir /var/cache/scratch/a; touch /var/cache/scratch/a/b",
    ),
    Case(
        "an archive, which is unpacked",
        (
            # In place of the engine, which brings it there.
            Directory(path="/var/lib/bramble/artifacts", mode=0o700),
            File(path=f"/var/lib/bramble/artifacts/{HASH}", content=Secret("archive", value=ARCHIVE), mode=0o600),
            Tree(artifact="made:all", path="/opt/made-1.0", sha256=HASH, size=len(ARCHIVE)),
        ),
        "runuser -u nobody /opt/made-1.0/lib/now | grep -qx 'it runs' && [ ! -e /opt/.made-1.0.bramble-new ]",
    ),
    Case("a new link", (Link(path="/opt/new", target="../srv"),), "[ $(readlink /opt/new) = ../srv ]"),
    Case(
        "a link that was there",
        (Link(path="/opt/theirs", target="/srv"),),
        "[ $(readlink /opt/theirs) = /srv ]",
        given="ln -s /nowhere /opt/theirs",
    ),
    Case(
        "a line that goes, one that takes another's place, and one at the end",
        (
            Line(path="/etc/hosts", match=r"^127\.0\.1\.1\s", absent=True),
            Line(path="/etc/hosts", line="10.1.1.9 red09", match=r"\sred09(\s|$)"),
            Line(path="/etc/hosts", line="10.1.1.8 red08"),
        ),
        "! grep 127.0.1.1 /etc/hosts && [ \"$(tail -1 /etc/hosts)\" = '10.1.1.8 red08' ] && getent hosts red09",
        given="printf '127.0.1.1 red\\n10.9.9.9 red09 old\\n# unended' >> /etc/hosts",
    ),
    Case(
        "a kernel argument",
        (KernelArgument(argument="cgroup_enable=memory", against=("cgroup_disable=memory",)),),
        "grep -qx 'console=tty1 cgroup_disable=memory rootwait cgroup_enable=memory' /boot/firmware/cmdline.txt",
        given="mkdir -p /boot/firmware; echo 'console=tty1 cgroup_disable=memory rootwait' > "
        "/boot/firmware/cmdline.txt; echo 'DO NOT EDIT THIS FILE' > /boot/cmdline.txt",
    ),
    Case(
        "settings of the firmware, below a filter for some boards",
        (FirmwareSetting(setting="dtoverlay=disable-wifi"), FirmwareSetting(setting="gpu_mem=16")),
        "[ \"$(tail -3 /boot/firmware/config.txt | tr '\\n' ' ')\" = '[all] dtoverlay=disable-wifi gpu_mem=16 ' ]",
        given="printf 'arm_64bit=1\\n[cm5]\\ndtoverlay=dwc2' > /boot/firmware/config.txt",
    ),
    Case(
        "another name",
        (Hostname(name="red09"),),
        "[ $(hostname) = red09 ] && grep -qx red09 /etc/hostname && systemctl is-active avahi-daemon",
    ),
    Case(
        "another time zone",
        (Timezone(zone="Asia/Tokyo"),),
        "[ $(date --date=@0 +%H) = 09 ] && grep -qx Asia/Tokyo /etc/timezone",
    ),
    Case(
        "a password where there was another, and where there was none",
        (
            Password(password=Secret("pw", value=b"hunter2-hunter2"), user="pw"),
            Password(password=Secret("pi", value=b"$6$salt$" + b"x" * 86), user="pi"),
        ),
        "grep -q '^pi:$6$salt$xxx' /etc/shadow; ! grep -r hunter2 /var/lib/bramble; "
        "echo hunter2-hunter2 | runuser -u pw -- sudo -kS true",
    ),
    Case(
        "keys beside those that are there, and where there are none",
        (
            AuthorizedKeys(keys=Secret("keys", value=b"ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n"), user="pi"),
            AuthorizedKeys(keys=Secret("keys", value=b"ssh-ed25519 AAAA one\n"), user="pw"),
        ),
        "grep -q BBBB ~pi/.ssh/authorized_keys; grep -q theirs ~pi/.ssh/authorized_keys; "
        "[ \"$(stat -c '%a %U' ~pw/.ssh/authorized_keys)\" = '600 pw' ]",
        given="mkdir -p -m 700 ~pi/.ssh; printf 'ssh-rsa CCCC theirs' > ~pi/.ssh/authorized_keys; "
        "chown -R pi:pi ~pi/.ssh; rm -rf ~pw/.ssh",
    ),
    Case(
        "a sysctl",
        (Sysctl(key="net.ipv4.ip_forward", value="1"), Sysctl(key="net.ipv4.tcp_rmem", value="4096 65536 6291456")),
        "[ $(cat /proc/sys/net/ipv4/ip_forward) = 1 ] && grep -q 65536 /proc/sys/net/ipv4/tcp_rmem",
    ),
    Case(
        "a new user with a group",
        (
            Group(name="testers", gid=870),
            User(name="tester", uid=871, group="testers", groups=("daemon",), home="/srv/tester", create_home=True),
        ),
        '[ "$(id tester)" = "uid=871(tester) gid=870(testers) groups=870(testers),1(daemon)" ] && [ -d /srv/tester ]',
    ),
    Case(
        "a user that was there",
        (User(name="somebody", shell="/bin/sh", home="/srv/somebody", groups=("daemon",)),),
        'getent passwd somebody | grep -q ":/srv/somebody:/bin/sh$" && id -nG somebody | grep -qw daemon',
        given="useradd --system --home-dir /srv --shell /bin/false somebody",
    ),
    Case(
        "a unit of our own",
        (
            File(path="/etc/systemd/system/ours.service", content=UNIT),
            Unit(name="ours", restart_on=("/etc/new.conf",)),
        ),
        "systemctl is-enabled ours; systemctl is-active ours",
    ),
    Case(
        "a unit that was there, not running",
        (Unit(name="theirs.service"),),
        "systemctl is-enabled theirs; systemctl is-active theirs",
        given=f"printf '%s' '{UNIT}' > /etc/systemd/system/theirs.service",
    ),
    Case(
        "a unit that ran and shall not",
        (Unit(name="avahi-daemon", enabled=False, running=False),),
        "! systemctl is-enabled avahi-daemon && ! systemctl is-active avahi-daemon",
    ),
    Case(
        "a command",
        (Command(argv=("touch", "/srv/done"), creates="/srv/done", undo_argv=("rm", "-f", "/srv/done")),),
        "[ -e /srv/done ]",
    ),
    Case(
        "a command for what changed, with a secret",
        (
            Command(
                argv=("sh", "-c", "cat >> /srv/runs"),
                name="count",
                when_changed=("/etc/new.conf",),
                input=Secret("s", value=b"x"),
                undo_argv=("rm", "-f", "/srv/runs"),
            ),
        ),
        "[ $(cat /srv/runs) = x ] && ! grep -r eA== /var/lib/bramble",
    ),
    Case("packages", (Package(names=("sl", "figlet")),), "[ -x /usr/games/sl ] && figlet moo"),
    Case("a package with a daemon", (Package(names=("beanstalkd",)),), "systemctl is-active beanstalkd"),
    Case(
        "a package whose daemon waits",
        (
            Package(names=("munge",), start=False),
            File(
                path="/etc/munge/munge.key",
                content=Secret("k", value=b"k" * 64),
                mode=0o400,
                owner="munge",
                group="munge",
            ),
            Unit(name="munge", restart_on=("/etc/munge/munge.key",)),
        ),
        "munge -n | unmunge && [ ! -e /usr/sbin/policy-rc.d ]",
        releases=("bookworm", "trixie"),  # what the mirror still has of bullseye is without munge
    ),
]


def test_every_step_type_is_here() -> None:
    covered = {type(step).__name__ for case in CASES for step in case.steps}
    assert covered | NOTHING_TO_PUT_BACK | NOT_THERE | MOVES | BROUGHT == set(steps.__all__)


@pytest.fixture(params=RELEASES)
def host(request: pytest.FixtureRequest, make_lab: Callable[..., Lab]) -> Iterator[Host]:
    """A lab of one host of each release, in turn, with the stage set."""
    release = request.param
    lab = make_lab(release, 1, release)
    cases = [case for case in CASES if release in case.releases]
    # The kernel sets the route of an address once it is sure that nobody else has it.
    lab.shell(release, "while ip -6 address | grep -q tentative; do sleep 0.1; done")
    lab.shell(release, "; ".join(case.given for case in cases if case.given))
    yield Host(lab, release, cases)
    labs.down(release)


@dataclass(frozen=True)
class Host:
    """A host and the cases that are tried on it, all in one plan, as a service has them."""

    lab: Lab
    name: str
    cases: list[Case]

    @property
    def steps(self) -> list[Step]:
        return [step for case in self.cases for step in case.steps]

    def runner(self) -> Stepping:
        return Stepping(self.name, self.name)

    def differs(self, before: labs.Snapshot) -> list[str]:
        return labs.diff_snapshots(before, self.lab.snapshot(self.name))

    def shell(self, script: str) -> str:
        return self.lab.shell(self.name, script)


def test_contract(host: Host) -> None:
    before = host.lab.snapshot(host.name)
    with host.runner() as runner:
        assert runner.python.startswith(RELEASES[host.name] + ".")
        dry = runner.group(*host.steps, mode="check")
        assert set(dry.outcomes) == {"would-change", "unknown"}, dry.outcomes
    assert host.differs(before) == []

    with host.runner() as runner:
        for case in host.cases:
            work = runner.group(*case.steps)
            assert work.outcomes == ["changed"] * len(case.steps), (case.name, work.messages[-3:])
            host.shell(case.then)
    with host.runner() as runner:
        again = runner.group(*host.steps)
        assert set(again.outcomes) == {"unchanged"}, again.summaries
        # /run is on no disk, so it is in no snapshot.
        host.shell("cp -a /var/lib/bramble /run/journal")
        undone = runner.undo()
        assert set(undone.outcomes) == {"undone"}, undone.summaries
    assert host.differs(before) == []

    # A cut after the last change, before the journal knew of any: everything is put back once more.
    host.shell("mv /run/journal /var/lib/bramble")
    with host.runner() as runner:
        assert "failed" not in runner.undo().outcomes
    assert host.differs(before) == []
