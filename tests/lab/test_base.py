"""`bramble prepare` on hosts of each release: all that is asked, undone to the last trace; and addresses that move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHt6wUMSc1ZMCEFS2v7c5ey0xHzGaAZ8kwXLGpkmWhGP somebody@else"
PASSWORD = "correct-horse-42"

#: What a virtual Pi can show of the options; radios, graphics and swap are files and settings alone there.
OPTIONS = {
    "hostname": "on",
    "names": "on",
    "timezone": "Europe/Berlin",
    "locale": "de_DE.UTF-8",
    "keyboard": "de",
    "packages": "sl, figlet",
    "unattended_upgrades": "on",
    "radios": "off",
    "swap": "off",
    "cgroups": "on",
    "gpu_memory": "16",
}

_INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends"

#: As a card that nobody personalised, with what Raspberry Pi OS Lite has besides, and as somebody made it: swap of two
#: kinds, and a part for some boards only.
AS_FOUND = f"""
{_INSTALL} locales keyboard-configuration xz-utils
hostname raspberrypi; echo raspberrypi > /etc/hostname; sed -i 's/^127.0.1.1.*/127.0.1.1\\traspberrypi/' /etc/hosts
printf '[cm5]\\ndtoverlay=dwc2\\n' >> /boot/firmware/config.txt
printf '/var/swap none swap sw 0 0\\n' >> /etc/fstab
mkdir -p /etc/rpi/swap.conf.d; touch /etc/rpi/swap.conf
systemctl unmask apt-daily.timer apt-daily-upgrade.timer
mkdir -p -m 700 ~pi/.ssh
"""

#: What holds once all of it is done.
DONE = """
[ "$(hostname)" = {host} ] && grep -qx {host} /etc/hostname
! grep -q 127.0.1.1 /etc/hosts
getent hosts {other} | grep -q {address}
[ "$(date --date=@1751371200 +%H)" = 14 ]
LC_ALL=de_DE.UTF-8 locale charmap | grep -qx UTF-8
grep -qx LANG=de_DE.UTF-8 "$(readlink -f /etc/default/locale)"
grep -qx 'XKBLAYOUT="de"' /etc/default/keyboard
figlet moo
systemctl is-active apt-daily-upgrade.timer
tail -4 /boot/firmware/config.txt | tr '\\n' ' ' > /run/settings
grep -qx '.all. dtoverlay=disable-wifi dtoverlay=disable-bt gpu_mem=16 ' /run/settings
grep -q 'rootwait cgroup_enable=memory$' /boot/firmware/cmdline.txt && [ $(wc -l < /boot/firmware/cmdline.txt) = 1 ]
! grep -q swap /etc/fstab
grep -qx Mechanism=none /etc/rpi/swap.conf.d/90-bramble.conf
grep -q somebody@else ~pi/.ssh/authorized_keys
echo {password} | runuser -u nosudo -- su -c true pi
! grep -r {password} /var/lib/bramble
"""

_HERE = """
here=$(ip -4 -o address show dev eth0 | awk '{print $4}'); gateway=$(ip route | awk '/default/ {print $3; exit}')
"""

#: Each of those who give addresses, at work on the interface of a virtual Pi with the address that it has. None of them
#: finds a udev there.
MANAGERS = {
    "dhcpcd": f"""
{_INSTALL} dhcpcd || {_INSTALL} dhcpcd5
{_HERE}
printf 'nodev\\ninterface eth0\\nstatic ip_address=%s\\nstatic routers=%s\\n' $here $gateway >> /etc/dhcpcd.conf
systemctl restart dhcpcd
""",
    "netplan": f"""
{_INSTALL} netplan.io
printf '#!/bin/sh\\n' > /usr/local/sbin/udevadm; chmod 755 /usr/local/sbin/udevadm
{_HERE}
cat > /etc/netplan/50-cloud-init.yaml <<END
network:
  version: 2
  ethernets:
    eth0: {{addresses: [$here], routes: [{{to: default, via: $gateway}}]}}
    eth7: {{dhcp4: true, optional: true}}
END
chmod 600 /etc/netplan/50-cloud-init.yaml
systemctl unmask systemd-networkd; netplan apply
while ! grep -q 10-netplan-eth0 /run/systemd/netif/links/$(cat /sys/class/net/eth0/ifindex); do sleep 0.2; done
""",
    "NetworkManager": f"""
{_INSTALL} network-manager
{_HERE}
cat > /etc/NetworkManager/system-connections/wired.nmconnection <<END
[connection]
id=wired
type=ethernet
interface-name=eth0
[ipv4]
method=manual
address1=$here,$gateway
END
chmod 600 /etc/NetworkManager/system-connections/wired.nmconnection
systemctl restart NetworkManager
until nmcli connection reload && nmcli connection up wired; do sleep 0.5; done
""",
}


#: What others keep for themselves and write anew: NetworkManager, the units that it asks and that end when nobody asks
#: any more, and Debian's register of configuration files, whose lines come in another order.
THEIRS = (
    "files: /var/lib/NetworkManager/timestamps",
    "files: /var/lib/ucf/registry",
    "processes: nm-dispatcher",
    "units: NetworkManager-dispatcher.service",
    "units: systemd-hostnamed.service",
)


def left(lab: Lab, before: dict[str, labs.Snapshot]) -> dict[str, list[str]]:
    """What is not as it was, by host."""
    found = {host: labs.diff_snapshots(then, lab.snapshot(host)) for host, then in before.items()}
    return {host: [one for one in differences if not one.startswith(THEIRS)] for host, differences in found.items()}


@pytest.fixture
def green(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """A lab with a host of each release that has all that is tried, and a third."""
    yield make_lab("green", 3, "bookworm,trixie,bookworm")
    labs.down("green")


@pytest.mark.timeout(900)
def test_hosts_are_as_asked_and_then_as_they_were(green: Lab, tmp_path: Path) -> None:
    controller = Controller.of(green, tmp_path / "controller")
    hosts = green.hosts[:2]
    on = ("--hosts", ",".join(hosts))
    for host in hosts:
        green.shell(host, AS_FOUND)
        # Some units run at the first start only.
        green.kill(host)
        green.start(host)
    before = {host: green.snapshot(host) for host in hosts}
    password, keys = tmp_path / "password", tmp_path / "keys.pub"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    keys.write_text(f"{KEY}\n")
    asked = {**OPTIONS, "password": str(password), "authorized_keys": str(keys)}
    words = [f"--set={name}={value}" for name, value in asked.items()]

    nothing = controller.run("prepare", *on)
    assert nothing.status == 2 and "nothing is set" in nothing.said
    assert controller.json("prepare", *on, *words, "--dry-run").report["changed"] > 0
    assert left(green, before) == {host: [] for host in hosts}

    boots = [green.shell(host, "cat /proc/sys/kernel/random/boot_id") for host in hosts]
    first = controller.json("prepare", *on, *words, timeout=600)
    assert first.status == 0 and first.report["verified"] is True, first.said[-3000:]
    assert PASSWORD not in first.said
    for host, other in (hosts, hosts[::-1]):
        green.shell(host, DONE.format(host=host, other=other, address=green.address(other), password=PASSWORD))
    assert [green.shell(host, "cat /proc/sys/kernel/random/boot_id") for host in hosts] != boots
    # One after the other, the manager last.
    restarts = [event["host"] for event in first.events if event["kind"] == "host-rebooting"]
    assert restarts == [hosts[1], hosts[0]]

    second = controller.json("prepare", *on)
    assert second.status == 0 and second.report["changed"] == 0, second.said[-3000:]
    assert not [event for event in second.events if event["kind"] == "host-rebooting"]

    # What somebody breaks is found, named and mended.
    green.shell(hosts[1], "sed -i /disable-wifi/d /boot/firmware/config.txt")
    broken = controller.run("verify", "base", *on)
    assert broken.status == 3 and "disable-wifi" in broken.about(hosts[1])
    assert controller.json("prepare", *on, timeout=300).report["verified"] is True

    # What is not asked for any more is as it was, and the rest stays.
    assert controller.json("prepare", *on, "--set=keyboard=", "--set=cgroups=off").report["verified"] is True
    assert "cgroup_enable" not in green.shell(hosts[0], "cat /boot/firmware/cmdline.txt")

    removed = controller.json("remove", "base", *on, "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    assert left(green, before) == {host: [] for host in hosts}
    assert not list((controller.folder / "data").rglob("secrets/*/*/*")), "its secrets are still on the controller"


@pytest.mark.timeout(900)
def test_an_address_moves_or_comes_back_by_itself(green: Lab, tmp_path: Path) -> None:
    controller = Controller.of(green, tmp_path / "controller")
    network = green.address(green.hosts[0]).rpartition(".")[0]
    asked = {host: f"{network}.{90 + number}" for number, host in enumerate(green.hosts)}
    old = {host: green.address(host) for host in green.hosts}
    nobody = controller.run("prepare", f"--set=address={network}.[90-92]/24")
    assert nobody.status == 2 and "nobody that bramble knows gives eth0 an address" in nobody.said
    for host, script in zip(green.hosts, MANAGERS.values(), strict=True):
        green.shell(host, script)
    before = {host: green.snapshot(host) for host in green.hosts}

    def addresses() -> dict[str, list[str]]:
        show = "ip -4 -o address show dev eth0 | awk '{print $4}'"
        return {host: green.shell(host, show).split() for host in green.hosts}

    way = (f"--set=gateway={network}.1", "--set=address_deadline=20")
    moved = controller.json("prepare", f"--set=address={network}.[90-92]/24", *way)
    assert moved.status == 0 and moved.outcomes() == dict.fromkeys(green.hosts, "done"), moved.said[-3000:]
    assert addresses() == {host: [f"{address}/24"] for host, address in asked.items()}
    assert all(f"{host}: {address}" in controller.cluster_file.read_text() for host, address in asked.items())
    assert controller.json("prepare").report["changed"] == 0

    # Where nobody can reach it: each takes back what it had, and says so.
    lost = controller.run("prepare", "--set=address=10.99.99.[1-3]/24", "--set=gateway=", "--set=address_deadline=10")
    assert lost.status == 1, lost.said[-3000:]
    for number, host in enumerate(green.hosts, 1):
        assert f"nobody reached it at 10.99.99.{number} within 10 s" in lost.about(host)
    assert addresses() == {host: [f"{address}/24"] for host, address in asked.items()}

    removed = controller.json("remove", "base", "--yes")
    assert removed.status == 0, removed.said[-3000:]
    assert addresses() == {host: [f"{address}/24"] for host, address in old.items()}
    assert all(f"{host}: {address}" in controller.cluster_file.read_text() for host, address in old.items())
    assert left(green, before) == {host: [] for host in green.hosts}
