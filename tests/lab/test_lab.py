"""The lab itself: real hosts, and nothing left behind."""

from __future__ import annotations

from bramble.lab.testing import Lab


def test_hosts_are_reached_with_the_lab_key_and_known_host_keys(lab: Lab) -> None:
    for host in lab.hosts:
        done = lab.ssh(host, "hostname; id -un; sudo -n id -un; systemctl is-system-running; cat /proc/1/comm")
        assert done.stdout.split() == [host, "pi", "root", "running", "systemd"], done.stderr
