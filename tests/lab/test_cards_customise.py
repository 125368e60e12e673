"""What cards make of a host, carried out: firstrun.sh on trees like Raspberry Pi OS's, and cloud-init by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bramble import lab as labs
from bramble.cards.customise import customise, password_hash
from bramble.cards.host_key import make_host_key
from bramble.cards.init_format import InitFormat
from bramble.lab.testing import Lab
from bramble.model import Customisation, Wifi

WIFI = Wifi(ssid='Bo\'s "net"; #1', psk="0123456789abcdef" * 4, country="NO")

#: Raspberry Pi OS as its image has it, with units that do nothing in place of what would act in a lab.
PI_OS = r"""
mkdir -p "$BOOT" /etc/systemd/system /var/lib/systemd/rfkill /etc/wpa_supplicant
echo 1 >/var/lib/systemd/rfkill/platform-1000:wlan
for unit in regenerate_ssh_host_keys $UNITS; do
    printf '[Service]\nExecStart=true\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/$unit.service
    systemctl -q enable $unit
done
ssh-keygen -q -t rsa -N '' -f /etc/ssh/ssh_host_rsa_key
printf 'XKBMODEL="pc105"\nXKBLAYOUT="us"\nXKBVARIANT=""\n' >/etc/default/keyboard
grep -q '^pi:' /etc/subuid || echo pi:100000:65536 | tee -a /etc/subuid >>/etc/subgid
"""

#: 12 and 13: NetworkManager, whose radio is off until somebody tells the country.
NETWORK_MANAGER = r"""
mkdir -p /etc/NetworkManager/system-connections /var/lib/NetworkManager
printf '[main]\nWirelessEnabled=false\n' >/var/lib/NetworkManager/NetworkManager.state
"""

#: 11, and a card that was given an address before.
DHCPCD = r"""
printf 'hostname\n# bramble: begin\nstatic ip_address=9.9.9.9/8\n# bramble: end\nduid\n' >/etc/dhcpcd.conf
"""

#: What Raspberry Pi's own helpers do, as far as it can be seen from without, and a note of how they were called.
HELPERS = r"""
mkdir -p /usr/lib/userconf-pi /usr/lib/raspberrypi-sys-mods
cat >/usr/lib/userconf-pi/userconf <<'END'
#!/bin/sh
echo "userconf $*" >>/root/called
[ "$1" = pi ] || { usermod -l "$1" pi; usermod -m -d "/home/$1" "$1"; groupmod -n "$1" pi; }
[ -z "$2" ] || echo "$1:$2" | chpasswd -e
sed -i "s/^pi\([ :]\)/$1\1/" /etc/sudoers.d/010_pi-nopasswd /etc/subuid /etc/subgid
exit 1
END
cat >/usr/lib/raspberrypi-sys-mods/imager_custom <<'END'
#!/bin/sh
echo "imager_custom $*" >>/root/called
sed -i "s/^XKBLAYOUT=.*/XKBLAYOUT=\"$2\"/" /etc/default/keyboard
END
chmod +x /usr/lib/userconf-pi/userconf /usr/lib/raspberrypi-sys-mods/imager_custom
"""


@dataclass(frozen=True)
class Login:
    """A person's key pair and password."""

    key: Path
    public: str
    password: str

    def ssh(self, lab: Lab, host: str, wanted: Customisation, command: str, *options: str) -> str:
        """What a command says over SSH, to a host that must show the key that was made for it beforehand."""
        known = self.key.with_name("known_hosts")
        known.write_text(f"{lab.address(host)} {wanted.host_keys[0].public}\n")
        words = ["ssh", "-F", "none", "-i", str(self.key), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
        words += ["-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=5", *options]
        words += [f"{wanted.user}@{lab.address(host)}", command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Login:
    key = tmp_path_factory.mktemp("login") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "it's me", "-f", key], check=True)
    return Login(key, key.with_suffix(".pub").read_text().strip(), password_hash("raspberry"))


@pytest.fixture(scope="module")
def hosts(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    """A host of bookworm for firstrun.sh, one of trixie for cloud-init."""
    yield make_lab("cards", 2, "bookworm,trixie")
    labs.down("cards")


def wanted_of(login: Login) -> Customisation:
    return Customisation(
        hostname="pi-7",
        instance="pi-7-0123456789ab",
        user="alice",
        keys=(login.public, 'from="10.0.0.0/8" ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAACQDFeHh4eHh4eA== bob'),
        address="10.9.9.2/24",
        gateway="10.9.9.254",
        dns=("10.9.9.254", "9.9.9.9"),
        wifi=WIFI,
        keyboard="gb",
        timezone="Europe/Berlin",
        kernel_arguments=("cgroup_enable=memory",),
        host_keys=(make_host_key("root@pi-7"),),
    )


def burn(lab: Lab, host: str, how: InitFormat, wanted: Customisation, where: str) -> None:
    """Put the files where the partition of a card would be mounted."""
    found = {"cmdline.txt": b"console=tty1 root=/dev/mmcblk0p2 rootwait\n", "config.txt": b"[pi4]\narm_boost=1\n"}
    for name, data in {**found, **customise(how, wanted, found)}.items():
        script = f'mkdir -p {where} && cat >"{where}/{name}" && chmod 0755 "{where}/{name}"'
        labs.execute(lab.name, host, ["sh", "-ec", script], stdin=data)


def file(lab: Lab, host: str, path: str) -> str:
    return lab.execute(host, "cat", path)


def rights(lab: Lab, host: str, *paths: str) -> list[str]:
    return lab.execute(host, "stat", "--format=%a %U", *paths).splitlines()


def told(text: str) -> list[str]:
    """Lines of a configuration file that say something."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def readable_secrets(lab: Lab, host: str, *secrets: str) -> list[str]:
    """Files with one of them that more than root and those of `adm` may read, or that are on the boot partition."""
    places = "/boot /etc /home /opt /root /run /srv /tmp /usr/local /var"
    found = set()
    for secret in secrets:
        found |= set(lab.shell(host, f"grep -rlsIF -e '{secret}' {places} || true").splitlines())
        binary = lab.shell(host, f"grep -rlsF -e '{secret}' /boot /var/lib/cloud /var/log || true")
        found |= set(binary.splitlines())
    modes = {path: lab.execute(host, "stat", "--dereference", "--format=%a", path).strip() for path in found}
    return sorted(path for path, mode in modes.items() if path.startswith("/boot") or not mode.endswith("0"))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("release", ["12, all helpers there", "12, none there", "11"])
def test_firstrun(release: str, hosts: Lab, login: Login) -> None:
    host = hosts.hosts[0]
    hosts.reset(host)
    helpers, eleven = "all helpers" in release, release == "11"
    boot = "/boot" if eleven else "/boot/firmware"
    units = "" if eleven else "NetworkManager"
    tree = PI_OS + (DHCPCD if eleven else NETWORK_MANAGER) + (HELPERS if helpers else "")
    hosts.shell(host, f"BOOT={boot} UNITS='{units}'\n{tree}")
    # A password, and sudo that asks for it, in one of the three; so is a locale, whose tools have to be fetched.
    wanted = wanted_of(login)
    if helpers:
        wanted = replace(wanted, password=login.password, sudo_asks=True, locale="hi_IN.UTF-8")
        hosts.shell(
            host, "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -qq -y install locales >/dev/null"
        )
    burn(hosts, host, InitFormat.SYSTEMD, wanted, boot)
    secrets = (wanted.host_keys[0].private.splitlines()[2], WIFI.psk, wanted.password or WIFI.psk)
    if not eleven:
        # What its initramfs does before.
        hosts.shell(host, f"cd {boot}; sed -n -i '/rm.*firstrun\\.sh$/q;p' firstrun.sh; echo false >>firstrun.sh")
        hosts.shell(host, f"sed -i 's|/boot/|/boot/firmware/|g' {boot}/cmdline.txt")

    ended = hosts.shell(host, f"systemd-run -q --wait -P {boot}/firstrun.sh; echo $?")
    log = file(hosts, host, "/var/log/bramble-firstrun.log")
    assert ended.strip() == "0" and log.splitlines()[-1] == "all done", log

    def is_as_asked() -> None:
        assert file(hosts, host, "/etc/hostname") == "pi-7\n"
        assert [line for line in file(hosts, host, "/etc/hosts").splitlines() if line.startswith("127.0.1.1")] == [
            "127.0.1.1\tpi-7"
        ]
        user = hosts.execute(host, "getent", "passwd", "alice").split(":")
        assert user[2] == "1000" and user[5:] == ["/home/alice", "/bin/bash\n"]
        assert hosts.execute(host, "id", "-gn", "alice") == "alice\n"
        assert "sudo" in hosts.execute(host, "id", "-Gn", "alice").split()
        assert hosts.shell(host, "getent passwd pi || echo gone") == "gone\n"
        assert hosts.shell(host, "grep -h '^alice:\\|^pi:' /etc/subuid /etc/subgid") == "alice:100000:65536\n" * 2
        assert hosts.execute(host, "getent", "shadow", "alice").split(":")[1] == (wanted.password or "*")
        assert file(hosts, host, "/home/alice/.ssh/authorized_keys").splitlines() == list(wanted.keys)
        ssh = ("/home/alice/.ssh", "/home/alice/.ssh/authorized_keys")
        assert rights(hosts, host, *ssh) == ["700 alice", "600 alice"]
        # Host keys: ours, no other, and nothing that would make others.
        keys = hosts.shell(host, "ls /etc/ssh/ssh_host_*").split()
        assert keys == ["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_ed25519_key.pub"]
        assert file(hosts, host, keys[0]) == wanted.host_keys[0].private
        assert rights(hosts, host, *keys) == ["600 root", "644 root"]
        assert "disabled" in hosts.shell(host, "systemctl is-enabled regenerate_ssh_host_keys || true")
        # The network.
        if eleven:
            lines = ["interface eth0", "static ip_address=10.9.9.2/24", "static routers=10.9.9.254"]
            lines.append("static domain_name_servers=10.9.9.254 9.9.9.9")
            assert told(file(hosts, host, "/etc/dhcpcd.conf")) == ["hostname", "duid", *lines]
            secret = ["/etc/wpa_supplicant/wpa_supplicant.conf"]
            assert f"psk={WIFI.psk}" in file(hosts, host, secret[0])
        else:
            folder = "/etc/NetworkManager/system-connections"
            secret = [f"{folder}/eth0.nmconnection", f"{folder}/wlan0.nmconnection"]
            assert "address1=10.9.9.2/24,10.9.9.254\n" in file(hosts, host, secret[0])
            assert f"psk={WIFI.psk}" in file(hosts, host, secret[1])
            assert "WirelessEnabled=true" in file(hosts, host, "/var/lib/NetworkManager/NetworkManager.state")
        assert rights(hosts, host, *secret) == ["600 root"] * len(secret)
        assert file(hosts, host, "/var/lib/systemd/rfkill/platform-1000:wlan") == "0\n"
        assert 'XKBLAYOUT="gb"' in file(hosts, host, "/etc/default/keyboard")
        assert hosts.execute(host, "date", "-d", "2026-07-01T12:00Z", "+%H %Z") == "14 CEST\n"
        # What is left of the card's files.
        assert hosts.shell(host, f"ls {boot} | grep -v firmware") == "cmdline.txt\nconfig.txt\n"
        words = file(hosts, host, f"{boot}/cmdline.txt").split()
        assert words[3:] == ["cgroup_enable=memory", "cfg80211.ieee80211_regdom=NO"]
        assert readable_secrets(hosts, host, *secrets) == []

    is_as_asked()
    if helpers:
        assert file(hosts, host, "/root/called").splitlines() == ["userconf alice ", "imager_custom set_keymap gb"]
        assert "LANG=hi_IN.UTF-8" in file(hosts, host, "/etc/default/locale")
        assert "hi_IN.utf8" in hosts.execute(host, "locale", "-a").split()

    # Reached by the key that was known before; by a password only where there is one.
    hosts.shell(host, "hostname --file /etc/hostname; systemctl restart ssh")
    sudo = login.ssh(hosts, host, wanted, "LC_ALL=C sudo -n id -u")
    assert "password is required" in sudo if wanted.sudo_asks else sudo == "0\n", sudo
    offered = login.ssh(hosts, host, wanted, "true", "-o", "PubkeyAuthentication=no")
    assert ("password" in offered.partition("(")[2]) == bool(wanted.password), offered

    # Burned and run once more, it makes the same.
    burn(hosts, host, InitFormat.SYSTEMD, wanted, boot)
    hosts.execute(host, "systemd-run", "-q", "--wait", "-P", f"{boot}/firstrun.sh")
    is_as_asked()


@pytest.mark.timeout(300)
def test_firstrun_goes_on_where_a_part_fails_and_says_so(hosts: Lab, login: Login) -> None:
    host = hosts.hosts[0]
    hosts.reset(host)
    hosts.shell(host, f"BOOT=/boot UNITS=''\n{PI_OS}\nrm -r /etc/sudoers.d; rm /usr/share/zoneinfo/Europe/Berlin")
    wanted = wanted_of(login)
    burn(hosts, host, InitFormat.SYSTEMD, wanted, "/boot")
    hosts.shell(host, "sh -c 'systemd-run -q --wait -P /boot/firstrun.sh'")
    log = file(hosts, host, "/var/log/bramble-firstrun.log")
    # The directory of NetworkManager's profiles is not there either.
    assert log.splitlines()[-1] == "FAILED: sudo_rule network time_zone", log
    assert "/etc/sudoers.d" in log and WIFI.psk not in log
    hosts.execute(host, "systemctl", "restart", "ssh")
    assert login.ssh(hosts, host, wanted, "id -un") == "alice\n"
    assert hosts.shell(host, "ls /boot | grep -v firmware") == "cmdline.txt\nconfig.txt\n"
    assert readable_secrets(hosts, host, wanted.host_keys[0].private.splitlines()[2], WIFI.psk) == []


#: As Raspberry Pi OS has it: the files are on its boot partition, which cloud-init is told of.
CLOUD = r"""
printf 'datasource_list: [NoCloud, None]\ndatasource: {NoCloud: {seedfrom: "file:///boot/firmware/"}}\n' \
    >/etc/cloud/cloud.cfg.d/99-pi.cfg
printf '[Service]\nType=oneshot\nExecStart=true\n' >/etc/systemd/system/console-setup.service
echo 'de_DE.UTF-8 UTF-8' >/etc/locale.gen; locale-gen >/dev/null
"""

START = r"""
rm -rf /run/cloud-init; mkdir -p /run/cloud-init
cloud-init init --local; cloud-init init; cloud-init modules --mode=config; cloud-init modules --mode=final
"""


@pytest.mark.timeout(600)
def test_cloud_init(hosts: Lab, login: Login) -> None:
    host = hosts.hosts[1]
    install = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends"
    hosts.shell(host, f"apt-get -qq update; {install} cloud-init netplan.io locales >/dev/null", timeout=400)
    full = replace(wanted_of(login), password=login.password, sudo_asks=True, locale="de_DE.UTF-8")
    least = Customisation(hostname="pi-8", instance="pi-8", user="pi", keys=(login.public,))

    # cloud-init's own schema, which also knows what is out of date.
    for how in (InitFormat.CLOUDINIT, InitFormat.CLOUDINIT_RPI):
        for wanted in (least, full):
            burn(hosts, host, how, wanted, "/boot/firmware")
            for kind in ("user-data", "network-config"):
                kind_of = "cloud-config" if kind == "user-data" else kind
                said = hosts.shell(
                    host, f"cd /boot/firmware; cloud-init schema -t {kind_of} -c {kind} 2>&1", check=False
                )
                assert said == f"Valid schema {kind}\n"

    # A first start, with what is the last of them.
    hosts.shell(host, CLOUD)
    said = hosts.shell(host, f"{START} 2>&1", check=False)
    status = json.loads(hosts.execute(host, "cloud-init", "status", "--format=json", check=False))
    assert status["errors"] == [], said
    assert file(hosts, host, "/etc/hostname") == "pi-7\n"
    assert file(hosts, host, "/etc/hosts").splitlines()[-1] == "127.0.1.1\tpi-7"
    assert hosts.execute(host, "getent", "shadow", "alice").split(":")[1] == login.password
    assert set(file(hosts, host, "/home/alice/.ssh/authorized_keys").splitlines()) == set(full.keys)
    assert hosts.shell(host, "ls /etc/ssh/ssh_host_*").split() == [
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/ssh/ssh_host_ed25519_key.pub",
    ]
    assert "LANG=de_DE.UTF-8" in file(hosts, host, "/etc/locale.conf") + file(hosts, host, "/etc/default/locale")
    assert 'XKBLAYOUT="gb"' in file(hosts, host, "/etc/default/keyboard")
    assert hosts.execute(host, "date", "-d", "2026-07-01T12:00Z", "+%H %Z") == "14 CEST\n"
    # The network, as netplan understands it: the address, and a key that is no passphrase.
    hosts.execute(host, "netplan", "generate")
    assert "10.9.9.2/24" in hosts.shell(host, "cat /run/systemd/network/*eth0.network")
    assert f"psk={WIFI.psk}\n" in file(hosts, host, "/run/netplan/wpa-wlan0.conf")
    # Nothing secret is where others may read it, and a second start makes nothing anew.
    secrets = (full.host_keys[0].private.splitlines()[2], WIFI.psk, login.password)
    assert readable_secrets(hosts, host, *secrets) == []
    state = "md5sum /etc/host* /etc/ssh/*key* /etc/shadow /etc/netplan/* /home/alice/.ssh/* /boot/firmware/*"
    before = hosts.shell(host, state)
    hosts.shell(host, f"{START} 2>&1")
    assert hosts.shell(host, state) == before

    hosts.execute(host, "systemctl", "restart", "ssh")
    assert "password is required" in login.ssh(hosts, host, full, "LC_ALL=C sudo -n id -u")
