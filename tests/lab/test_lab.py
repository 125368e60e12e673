"""The lab itself: its hosts are what they claim to be, and each fault does what it says and no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bramble import lab as labs
from bramble.errors import BrambleError, HostError, UsageError
from bramble.lab import power
from bramble.lab.process import start_time
from bramble.lab.state import existing
from bramble.lab.testing import Lab


def leader(lab: Lab, host: str) -> int:
    spec = existing(lab.name)
    return power.leader(spec, spec.host(host))


def test_hosts_are_reached_with_the_lab_key_and_known_host_keys(lab: Lab) -> None:
    for host in lab.hosts:
        done = lab.ssh(host, "hostname; id -un; sudo -n id -un; systemctl is-system-running; cat /proc/1/comm")
        assert done.stdout.split() == [host, "pi", "root", "running", "systemd"], done.stderr


def test_hosts_look_like_fresh_pis(fresh_lab: Lab) -> None:
    ids = {lab_id for host in fresh_lab.hosts for lab_id in fresh_lab.execute(host, "cat", "/etc/machine-id").split()}
    assert len(ids) == len(fresh_lab.hosts)
    host = fresh_lab.hosts[0]
    fresh_lab.shell(host, "test -s /boot/firmware/cmdline.txt && test -s /boot/firmware/config.txt")
    assert f"127.0.1.1\t{host}" in fresh_lab.execute(host, "cat", "/etc/hosts")
    assert fresh_lab.execute(host, "systemctl", "--failed", "--no-legend") == ""
    # What is not on a card: anything of another host's identity.
    assert fresh_lab.shell(host, "ls /etc/ssh/ssh_host_*_key").split() == ["/etc/ssh/ssh_host_ed25519_key"]


@pytest.mark.parametrize(
    ("user", "command", "answer"),
    [
        ("pi", "sudo -n id -un", "root"),
        ("pw", "echo raspberry | sudo -S -k id -un", "root"),
        ("pw", "echo wrong | sudo -S -k id -un", ""),
        ("pw", "sudo -n id -un", ""),
        ("nosudo", "sudo -n id -un", ""),
    ],
)
def test_users_differ_in_what_sudo_wants(lab: Lab, user: str, command: str, answer: str) -> None:
    done = lab.ssh("red", command, user=user)
    assert done.stdout.strip() == answer
    assert (done.returncode == 0) == bool(answer)


#: Bits of capability sets, from the kernel's include/uapi/linux/capability.h.
CAP_SYS_MODULE, CAP_SYS_TIME = 16, 25


# Each would do no harm if it went through: the time is what it is already, the value what it was, the disk only read.
REFUSED = {
    "the clock": "date -s @$(date +%s.%N)",
    "settings of the machine's kernel": "cd /proc/sys/vm && value=$(cat swappiness) && echo $value > swappiness",
    "the machine's disk": "mknod -m 600 /tmp/disk b {major} {minor} && head -c 1 /tmp/disk",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_hosts_share_with_the_machine_is_out_of_their_reach(lab: Lab, what: str) -> None:
    disk = Path("/").stat().st_dev
    command = REFUSED[what].format(major=os.major(disk), minor=os.minor(disk))
    over_ssh = lab.ssh("red01", f"sudo sh -c 'rm -f /tmp/disk; {command}'")
    inside = labs.execute("red", "red01", ["sh", "-c", f"rm -f /tmp/disk; {command}"], check=False)
    assert over_ssh.returncode != 0, what
    assert inside.returncode != 0, what


def test_a_command_inside_has_no_more_power_than_the_host(lab: Lab) -> None:
    bounds = {
        who: {line.split(":")[0]: int(line.split()[1], 16) for line in text.splitlines() if line.startswith("Cap")}
        for who, text in {
            "host": lab.execute("red01", "cat", "/proc/1/status"),
            "command": lab.execute("red01", "cat", "/proc/self/status"),
        }.items()
    }
    assert bounds["command"]["CapBnd"] == bounds["command"]["CapPrm"] == bounds["host"]["CapBnd"]
    assert not bounds["host"]["CapBnd"] & (1 << CAP_SYS_MODULE | 1 << CAP_SYS_TIME)
    # In the host's groups, too: they keep it from the machine's devices, and it stops when the host is paused.
    assert ".." not in lab.execute("red01", "cat", "/proc/self/cgroup")


def test_settings_of_the_network_are_the_hosts_own(lab: Lab) -> None:
    lab.shell("red01", "echo 1 > /proc/sys/net/ipv4/ip_forward && test $(cat /proc/sys/net/ipv4/ip_forward) = 1")
    assert lab.execute("red02", "cat", "/proc/sys/net/ipv4/ip_forward").strip() == "0"


def test_power_cut_and_return(lab: Lab) -> None:
    lab.shell("red01", "echo kept > /root/kept && sync")
    pid = leader(lab, "red01")
    lab.kill("red01")
    assert lab.status.host("red01").power == "off"
    assert start_time(pid) is None
    assert lab.ssh("red01", "true").returncode == 255
    assert lab.ssh("red02", "true").returncode == 0
    lab.kill("red01")  # twice is no error
    lab.start("red01")
    # Strict key checking: the host has shown the same key again.
    assert lab.ssh("red01", "sudo cat /root/kept").stdout == "kept\n"


def test_cut_off_and_healed(lab: Lab) -> None:
    lab.cut("red02")
    assert lab.status.host("red02").connected is False
    assert lab.ssh("red02", "true").returncode == 255
    assert lab.ssh("red01", "true").returncode == 0
    cut = labs.execute(
        "red", "red02", ["timeout", "2", "bash", "-c", f"</dev/tcp/{lab.address('red01')}/22"], check=False
    )
    assert cut.returncode != 0
    lab.heal("red02")
    assert lab.status.host("red02").connected is True
    assert lab.ssh("red02", "true").returncode == 0


def test_paused_and_resumed(lab: Lab) -> None:
    lab.shell("red02", "systemd-run --quiet --unit=ticks sh -c 'while :; do echo x >> /run/ticks; sleep 0.05; done'")
    lab.pause("red02")
    assert lab.status.host("red02").power == "paused"
    ticks = Path(f"/proc/{leader(lab, 'red02')}/root/run/ticks")
    time.sleep(0.2)
    size = ticks.stat().st_size
    time.sleep(0.5)
    assert ticks.stat().st_size == size
    lab.resume("red02")
    assert lab.status.host("red02").power == "on"
    time.sleep(0.5)
    assert ticks.stat().st_size > size
    lab.execute("red02", "systemctl", "stop", "ticks")


def test_power_cut_while_paused(lab: Lab) -> None:
    lab.pause("red02")
    lab.kill("red02")
    assert lab.status.host("red02").power == "off"
    lab.start("red02")
    assert lab.ssh("red02", "true").returncode == 0


def test_reboot_from_inside_comes_back(lab: Lab) -> None:
    lab.execute("red01", "ip", "link", "add", "left", "type", "bridge")
    before = leader(lab, "red01")
    lab.ssh("red01", "sudo reboot")
    deadline = time.monotonic() + 30
    while not (lab.ssh("red01", "true").returncode == 0 and leader(lab, "red01") != before):
        assert time.monotonic() < deadline, "it did not come back"
        time.sleep(0.1)
    assert "left" not in lab.execute("red01", "ip", "-brief", "link"), "interfaces do not outlive a reboot"


def test_power_off_from_inside_stays_off(lab: Lab) -> None:
    lab.ssh("red01", "sudo poweroff")
    deadline = time.monotonic() + 40
    while lab.status.host("red01").power != "off":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    lab.start("red01")


def test_packages_come_from_the_archive_once(lab: Lab) -> None:
    lab.reset("red", "red01")
    # The index is on the card, so nothing needs an update first.
    lab.execute("red", "apt-get", "install", "-qy", "tree")
    lab.reset("red", "red01")
    for host in ("red", "red01"):
        lab.execute(host, "apt-get", "install", "-qy", "--no-download", "tree")
        assert lab.execute(host, "tree", "--version").startswith("tree v")


def test_reset_gives_a_fresh_card_to_the_same_host(lab: Lab) -> None:
    before = lab.execute("red02", "sh", "-c", "cat /etc/ssh/*.pub /etc/machine-id")
    lab.shell("red02", "useradd leftover; rm /usr/bin/less; touch /root/left")
    lab.reset("red02")
    assert lab.execute("red02", "sh", "-c", "cat /etc/ssh/*.pub /etc/machine-id") == before
    done = labs.execute("red", "red02", ["sh", "-c", "id leftover || test -e /root/left"], check=False)
    assert done.returncode != 0
    lab.execute("red02", "test", "-x", "/usr/bin/less")


def test_small_disk_fills_up_and_outlives_a_power_cut(lab: Lab) -> None:
    lab.shell("red02", "mkdir -p /var/lib/bramble && echo journal > /var/lib/bramble/journal")
    try:
        lab.small_disk("red02", "/var/lib/bramble", 8 << 20)
        assert lab.execute("red02", "cat", "/var/lib/bramble/journal") == "journal\n"
        lab.fill("red02", "/var/lib/bramble")
        full = labs.execute("red", "red02", ["cp", "/etc/passwd", "/var/lib/bramble/more"], check=False)
        assert "No space left" in full.stderr
        lab.shell("red02", "echo elsewhere > /root/elsewhere")
        lab.kill("red02")
        lab.start("red02")
        assert lab.execute("red02", "cat", "/var/lib/bramble/journal") == "journal\n"
        lab.drain("red02", "/var/lib/bramble")
        lab.shell("red02", "echo more > /var/lib/bramble/more")
    finally:
        lab.reset("red02")
    assert "tmpfs" not in lab.shell("red02", "stat -f -c %T /var/lib")


def test_a_whole_host_on_a_small_disk(lab: Lab) -> None:
    lab.shell("red02", "echo before > /root/before")
    try:
        lab.small_disk("red02", "/", 64 << 20)
        assert lab.execute("red02", "cat", "/root/before") == "before\n"
        lab.fill("red02", leave=1 << 20)
        full = labs.execute("red", "red02", ["apt-get", "install", "-qy", "tree"], check=False)
        assert full.returncode != 0, full.stdout
        assert "ballast" not in lab.execute("red02", "find", "/", "-xdev", "-name", "*ballast*")
        lab.drain("red02")
        lab.shell("red02", "dpkg --configure -a && apt-get install -qy tree")
    finally:
        lab.reset("red02")


def test_only_a_small_disk_can_be_filled(lab: Lab) -> None:
    with pytest.raises(UsageError, match="red01 has no small disk at /"):
        lab.fill("red01", "/")


def test_up_again_changes_nothing_and_starts_what_is_down(lab: Lab) -> None:
    pids = {host: leader(lab, host) for host in ("red", "red02")}
    lab.kill("red01")
    labs.up(3, "red")
    assert {host: leader(lab, host) for host in ("red", "red02")} == pids
    assert lab.ssh("red01", "true").returncode == 0


def test_a_host_without_its_supervisor_is_recognised_and_mended(lab: Lab) -> None:
    spec = existing(lab.name)
    outside = [
        pid
        for pid in power.host_groups(spec, spec.host("red01")).pids()
        if b"bramble.lab.supervisor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    (supervisor,) = outside
    before = leader(lab, "red01")
    os.kill(supervisor, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while lab.status.host("red01").power != "broken":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    labs.up(None, "red")
    assert lab.status.host("red01").power == "on"
    assert leader(lab, "red01") != before
    assert start_time(before) is None


def test_a_host_that_does_not_come_up_says_why(lab: Lab) -> None:
    try:
        lab.shell("red01", "systemctl mask ssh.service")
        lab.kill("red01")
        with pytest.raises(HostError, match="red01: the host did not come up within 12 s") as caught:
            labs.start("red", "red01", seconds=12)
        assert "sshd does not answer" in caught.value.what
        assert "Reached target" in caught.value.why
    finally:
        lab.reset("red01")


def test_execute_tells_the_host_and_the_cause(lab: Lab) -> None:
    with pytest.raises(HostError, match=r"red: sh exited with 3: .*the cause"):
        lab.shell("red", "echo the cause >&2; exit 3")
    lab.kill("red01")
    with pytest.raises(HostError, match="red01: the host is switched off"):
        lab.execute("red01", "true")
    lab.start("red01")


def test_shell_is_a_terminal_of_the_host(lab: Lab) -> None:
    code = "import sys; from bramble import lab; sys.exit(lab.shell('red', 'red01'))"
    words = ["script", "-qec", f'"{sys.executable}" -c "{code}"', "/dev/null"]
    done = subprocess.run(
        words, input="hostname; tty; exit 7\n", capture_output=True, text=True, timeout=30, check=False
    )
    assert "red01" in done.stdout
    assert "/dev/pts/" in done.stdout
    assert done.returncode == 7


CHANGES: dict[str, tuple[str, str]] = {
    "files: /etc/motd": ("echo hello > /etc/motd", "cp -p /root/motd /etc/motd"),
    "files: /usr/local/bin/tool": ("install -m 755 /bin/true /usr/local/bin/tool", "rm /usr/local/bin/tool"),
    "files: /etc/hostname": ("chmod 600 /etc/hostname", "chmod 644 /etc/hostname"),
    "files: /home/pi": ("chown root /home/pi", "chown pi /home/pi"),
    "files: /etc/passwd": ("useradd --system left", "userdel left"),
    "files: /opt/link": ("ln -s /nowhere /opt/link", "rm /opt/link"),
    "units: left.service": (
        "printf '[Service]\\nExecStart=/bin/sleep 99\\n' > /run/systemd/system/left.service; systemctl start left",
        "systemctl stop left; rm /run/systemd/system/left.service; systemctl daemon-reload",
    ),
    "units: avahi-daemon.service": (
        "systemctl disable -q --now avahi-daemon",
        "systemctl enable -q --now avahi-daemon",
    ),
    "processes: sleep": ("setsid systemd-run -q --unit=nap sleep 99", "systemctl stop nap"),
    "sockets: tcp 0.0.0.0:7777": (
        "systemd-run -q --unit=door python3 -m http.server 7777",
        "systemctl stop door",
    ),
    "settings: net.ipv4.ip_forward": ("sysctl -q -w net.ipv4.ip_forward=1", "sysctl -q -w net.ipv4.ip_forward=0"),
    "network: interface left": ("ip link add left type bridge", "ip link del left"),
    "mounts: /mnt": ("mount -t tmpfs none /mnt", "umount /mnt"),
    "packages: less": ("apt-mark auto less", "apt-mark manual less"),
}


def test_snapshot_sees_every_kind_of_leftover(lab: Lab) -> None:
    lab.reset("red01")
    lab.shell("red01", "cp -p /etc/motd /root/motd")
    before = lab.snapshot("red01")
    assert labs.diff_snapshots(before, lab.snapshot("red01")) == []
    lab.shell("red01", "; ".join(change for change, _ in CHANGES.values()))
    time.sleep(0.5)
    changed = labs.diff_snapshots(before, lab.snapshot("red01"))
    for name in CHANGES:
        assert any(line.startswith(name) for line in changed), (name, changed)
    lab.shell("red01", "; ".join(undo for _, undo in CHANGES.values()))
    time.sleep(0.5)
    assert labs.diff_snapshots(before, lab.snapshot("red01")) == []


def test_snapshot_of_a_package_that_came_and_went(lab: Lab) -> None:
    lab.reset("red01")
    before = lab.snapshot("red01")
    # Its installation runs `su munge`; the user's manager stays ten seconds, and a user in use cannot be removed.
    lab.shell("red01", "apt-get install -qy munge; loginctl terminate-user munge; apt-get purge -qy --autoremove munge")
    assert labs.diff_snapshots(before, lab.snapshot("red01")) == []


def test_unknown_hosts_and_labs_are_named(lab: Lab) -> None:
    with pytest.raises(UsageError, match="lab red has no host 'red07'\n  hint: its hosts: red, red01, red02"):
        lab.kill("red07")
    with pytest.raises(UsageError, match="there is no lab 'nolab': labs here: red"):
        labs.status("nolab")


def test_mixed_releases_with_a_third_added(make_lab: Callable[..., Lab]) -> None:
    mixed = make_lab("mix", 2, "bookworm,trixie")
    try:
        labs.add("mix", "mix02", "bullseye", memory=128 << 20, cpus=0.5)
        releases = [mixed.shell(host, ". /etc/os-release; echo $VERSION_CODENAME").strip() for host in mixed.hosts]
        assert releases == ["bookworm", "trixie", "bullseye"]
        for host in mixed.hosts:
            done = mixed.ssh(host, "systemctl is-system-running")
            assert done.stdout.strip() == "running", (host, done.stderr)
        assert mixed.ssh("mix02", "python3 --version").stdout.startswith("Python 3.9.")
        # The oldest Pi is the smallest, too: more memory than it has is not to be had.
        hog = mixed.ssh("mix02", "python3 -c 'x = bytearray(256 << 20)'; echo $?")
        assert hog.stdout.strip() in ("137", "1"), hog
    finally:
        labs.down("mix")


def test_a_lab_that_was_never_there_comes_down(lab: Lab) -> None:
    labs.down("nolab")
    with pytest.raises(BrambleError):
        labs.status("nolab")
