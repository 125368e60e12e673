"""Hosts that cannot be reached, or let nobody in: each is named with cause and remedy, and the others are served."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.lab.controller import Controller, Done

from bramble.lab.testing import Lab

HOSTS = "red,red[01-02]"


def served(lab: Lab, *hosts: str) -> None:
    """The service runs on these hosts, whatever happened to others."""
    for host in hosts:
        assert lab.execute(host, "systemctl", "is-active", "beacon", check=False).strip() == "active", host


def refused(done: Done, host: str, *words: str) -> None:
    """A failure of one host: exit code 1, and what was said of the host holds these words and a hint."""
    assert done.status == 1, done.said
    told = done.about(host)
    for word in (*words, "hint:"):
        assert word in told, f"{word!r} is not in: {told}"
    assert host in done.stderr.splitlines()[-2], f"the closing sentence does not name {host}: {done.stderr}"


def healed(controller: Controller, lab: Lab) -> None:
    """With the trouble mended, the same command goes on, and a further one changes nothing."""
    assert controller.json("deploy", "beacon").outcomes() == dict.fromkeys(lab.hosts, "done")
    again = controller.json("deploy", "beacon").report
    assert (again["changed"], again["verified"]) == (0, True)


def edit(controller: Controller, old: str, new: str) -> None:
    """Change the cluster file as a person does."""
    text = controller.cluster_file.read_text()
    assert old in text
    controller.cluster_file.write_text(text.replace(old, new))


def test_a_name_that_nobody_knows(controller: Controller, fresh_lab: Lab) -> None:
    edit(controller, f"red02: {fresh_lab.address('red02')}", "red02: ghost.invalid")
    done = controller.run("deploy", "beacon")
    refused(done, "red02", "ghost.invalid")
    served(fresh_lab, "red", "red01")
    edit(controller, "ghost.invalid", fresh_lab.address("red02"))
    healed(controller, fresh_lab)


def test_a_host_that_is_switched_off(controller: Controller, fresh_lab: Lab) -> None:
    fresh_lab.kill("red02")
    done = controller.run("deploy", "beacon", "--connect-timeout", "4")
    refused(done, "red02", fresh_lab.address("red02"), "switched on")
    served(fresh_lab, "red", "red01")
    fresh_lab.start("red02")
    healed(controller, fresh_lab)


def test_a_host_that_is_cut_off(controller: Controller, fresh_lab: Lab) -> None:
    fresh_lab.cut("red02")
    done = controller.run("deploy", "beacon", "--connect-timeout", "2")
    refused(done, "red02", "no answer")
    served(fresh_lab, "red", "red01")
    fresh_lab.heal("red02")
    healed(controller, fresh_lab)


def test_a_port_that_refuses(controller: Controller, fresh_lab: Lab) -> None:
    fresh_lab.shell("red01", "systemctl stop ssh.socket ssh.service 2>/dev/null || systemctl stop ssh")
    done = controller.run("deploy", "beacon")
    refused(done, "red01", "refuses the connection", "sshd")
    served(fresh_lab, "red", "red02")
    fresh_lab.execute("red01", "systemctl", "start", "ssh")
    healed(controller, fresh_lab)


def test_a_manager_that_is_off_stops_all_before_any_change(controller: Controller, fresh_lab: Lab) -> None:
    before = {host: fresh_lab.snapshot(host) for host in ("red01", "red02")}
    fresh_lab.kill("red")
    done = controller.run("deploy", "beacon", "--connect-timeout", "4")
    assert done.status == 2
    assert "red" in done.stderr and "hint:" in done.stderr
    assert {host: fresh_lab.snapshot(host) for host in before} == before
    fresh_lab.start("red")
    healed(controller, fresh_lab)


@pytest.fixture(scope="session")
def other_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key that no host accepts."""
    key = tmp_path_factory.mktemp("keys") / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


def test_a_wrong_key(controller: Controller, fresh_lab: Lab, other_key: Path) -> None:
    before = fresh_lab.snapshot("red01")
    done = controller.run("deploy", "beacon", "--key", str(other_key))
    for host in fresh_lab.hosts:
        assert "is not let in" in done.stdout
        assert host in done.stdout
    assert done.status == 1 and "hint:" in done.said
    assert fresh_lab.snapshot("red01") == before


def test_a_changed_host_key(controller: Controller, fresh_lab: Lab) -> None:
    """The card was burned anew, or somebody stands in between: nothing goes there until a person has looked."""
    make_new = "rm /etc/ssh/ssh_host_ed25519_key*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key"
    known = fresh_lab.execute("red02", "cat", "/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub")
    fresh_lab.shell("red02", f"{make_new}; systemctl restart ssh")
    try:
        fingerprint = fresh_lab.shell("red02", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
        done = controller.run("deploy", "beacon", "--accept-new")
        refused(done, "red02", fingerprint, "bramble hosts trust --replace")
        served(fresh_lab, "red", "red01")
        assert "beacon" not in fresh_lab.execute("red02", "cat", "/etc/passwd")
        trusted = controller.run("hosts", "trust", "--replace", "--hosts", "red02", "--cluster", controller.cluster)
        assert trusted.status == 0, trusted.said
        healed(controller, fresh_lab)
    finally:
        private, _, public = known.partition("ssh-ed25519 ")
        fresh_lab.shell("red02", f"cat > /etc/ssh/ssh_host_ed25519_key <<'KEY'\n{private}KEY\n")
        fresh_lab.shell("red02", f"echo 'ssh-ed25519 {public.strip()}' > /etc/ssh/ssh_host_ed25519_key.pub")
        fresh_lab.shell("red02", "systemctl restart ssh")


def test_an_unknown_host_key(controller: Controller, fresh_lab: Lab) -> None:
    edit(controller, f"known_hosts: {fresh_lab.status.known_hosts}", "")
    done = controller.run("deploy", "beacon")
    fingerprint = fresh_lab.shell("red", "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert done.status == 1
    for word in ("red", fingerprint, "bramble hosts trust"):
        assert word in done.said
    accepted = controller.run("deploy", "beacon", "--accept-new")
    assert accepted.status == 0, accepted.said
    healed(controller, fresh_lab)


def test_a_user_without_sudo(controller: Controller, fresh_lab: Lab) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    done = controller.run("deploy", "beacon", "--user", "nosudo")
    assert done.status == 1
    for host in fresh_lab.hosts:
        assert host in done.stdout
    assert "sudo" in done.stdout and "hint:" in done.said
    assert {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts} == before


@pytest.mark.parametrize("given", ["nothing", "a wrong one", "the right one"])
def test_a_sudo_password(controller: Controller, fresh_lab: Lab, given: str) -> None:
    password = {"nothing": "", "a wrong one": "hunter2-wrong", "the right one": "raspberry"}[given]
    done = controller.run("deploy", "beacon", "--user", "pw", "--diff", "-v", env={"BRAMBLE_SUDO_PASSWORD": password})
    assert not password or password not in done.said
    if given == "the right one":
        assert done.status == 0, done.said
        kept = [file for file in controller.folder.rglob("*") if file.is_file() and b"raspberry" in file.read_bytes()]
        assert not kept
        assert "raspberry" not in fresh_lab.shell("red", "cat /var/lib/bramble/journal.jsonl")
        return
    assert done.status == 1
    words = "the sudo password is wrong" if password else "sudo asks for a password"
    assert words in done.stdout and "--ask-sudo-password" in done.said
    for host in fresh_lab.hosts:
        assert host in done.stdout
