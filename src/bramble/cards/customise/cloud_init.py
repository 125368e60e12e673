"""cloud-init's files: Raspberry Pi OS 13 since November 2025, and Ubuntu.

They stay on the partition, where everybody on the host may read them. So what nobody else may know stands at their
end, below a line of its own. The partition is closed to all but root before anybody can log in, and that part is cut
off when the first start is through. What is left, cloud-init reads at each further start, and takes nothing of it for
new: it goes by the instance, which is the same.
"""

from __future__ import annotations

from typing import Any

from ...model import Customisation
from . import kernel
from .boot_files import BootFiles
from .firstrun import COUNTRY
from .netplan import network_config
from .radios import without_radios
from .yaml_text import mapping

#: What is below goes at the end of the first start.
CUT_HERE = "# Secret, and gone after the first start:"

_SOURCE = "ds=nocloud;"

#: Ubuntu 25.10 and later have two sets of files to start with, and that one in use.
_COMMAND_LINES = ("current/cmdline.txt", "cmdline.txt")

_FILES = "/boot/firmware/user-data /boot/firmware/network-config"

#: A FAT file system takes rights for its files only when it is mounted. Where that cannot be done again, something is
#: using it; then the end of the first start has to be soon enough.
_CLOSE = f"""\
if grep -qs '^{CUT_HERE}' {_FILES} && umount /boot/firmware; then
  mount -o umask=0077 /boot/firmware || mount /boot/firmware
fi
"""

_CUT = f"sed -i '/^{CUT_HERE}/,$d' {_FILES}; sync"

#: Once and by hand: cloud-init's own `manage_etc_hosts` would do it at each start again, over what services put there.
_HOSTS = "sed -i '/^127\\.0\\.1\\.1[[:space:]]/d' /etc/hosts; printf '127.0.1.1\\t%s\\n' {hostname} >>/etc/hosts"


def customise(wanted: Customisation, boot: BootFiles, *, raspberry: bool) -> dict[str, str]:
    """cloud-init's three files, and what firmware and kernel are told.

    Parameters
    ----------
    raspberry
        Whether the system is Raspberry Pi OS, with its own user, sudo rules and locked radio.
    """
    line = next((name for name in _COMMAND_LINES if name in boot), "cmdline.txt")
    country = wanted.wifi.country if wanted.wifi else ""
    words = list(wanted.kernel_arguments)
    # netplan of Ubuntu 22.04 does not know of countries, the kernel of every system does.
    words += [f"{COUNTRY}{country}"] if country and line in boot else []
    # Raspberry Pi OS has cloud-init look for a card's files only when told so here. Ubuntu's finds them by itself.
    words += [f"{_SOURCE}i={wanted.instance}"] if raspberry else []
    made = {
        "user-data": user_data(wanted, raspberry=raspberry),
        "meta-data": mapping({"dsmode": "local", "instance-id": wanted.instance, "local-hostname": wanted.hostname}),
        "network-config": network_config(wanted, CUT_HERE, regulatory=raspberry or line not in boot),
    }
    if words:
        dropped = [_SOURCE] * raspberry + [COUNTRY] * bool(country)
        made[line] = kernel.edited(boot.text(line), drop=dropped, add=words)
    if not wanted.radios:
        made["config.txt"] = without_radios(boot.text("config.txt"))
    return made


def user_data(wanted: Customisation, *, raspberry: bool) -> str:
    """``user-data``: what cloud-init is to do, in the order in which a person looks for it."""
    data: dict[str, Any] = {"hostname": wanted.hostname}
    if wanted.timezone:
        data["timezone"] = wanted.timezone
    if wanted.locale:
        data["locale"] = wanted.locale
    if wanted.keyboard:
        data["keyboard"] = {"layout": wanted.keyboard}
    data["ssh_pwauth"] = bool(wanted.password)
    data["runcmd"] = _commands(wanted, raspberry=raspberry)
    title = f"# {wanted.hostname}: what this host becomes at its first start, written by bramble.\n"
    return f"#cloud-config\n{title}{mapping(data)}{CUT_HERE}\n{mapping(_secret(wanted))}"


def _commands(wanted: Customisation, *, raspberry: bool) -> list[str]:
    commands = [_HOSTS.format(hostname=wanted.hostname)]
    if raspberry:
        # What cloud-init does only for users that it makes, and the image's own is there already: end the wizard that
        # would ask for one at the screen, and let it log in.
        commands.append(f"test ! -x /usr/bin/cancel-rename || cancel-rename {wanted.user}")
        commands.append(f"usermod --shell /bin/bash {wanted.user}")
        commands.append("systemctl enable --now ssh")
        if wanted.sudo_asks:
            commands.append("rm -f /etc/sudoers.d/010_pi-nopasswd")
        if wanted.wifi:
            commands.append("nmcli radio wifi on || rfkill unblock wifi")
    return [*commands, _CUT]


def _secret(wanted: Customisation) -> dict[str, Any]:
    # One user, not a list of them: it takes the place of the system's own, with the groups that one has.
    user: dict[str, Any] = {
        "name": wanted.user,
        "shell": "/bin/bash",
        "lock_passwd": not wanted.password,
        # None, not absent: the system's own user has a rule, which this one would inherit.
        "sudo": None if wanted.sudo_asks else "ALL=(ALL) NOPASSWD:ALL",
    }
    if wanted.password:
        # Not `passwd`, which counts only for users that are not there yet.
        user["hashed_passwd"] = wanted.password
    if wanted.keys:
        user["ssh_authorized_keys"] = list(wanted.keys)
    # Here, because wherever there is a `bootcmd`, cloud-init waits for the network first, which is once enough.
    data: dict[str, Any] = {"bootcmd": [_CLOSE], "user": user, "ssh_deletekeys": True}
    if wanted.host_keys:
        # With these, cloud-init makes no others.
        data["ssh_keys"] = {
            f"{key.kind}_{half}": value
            for key in wanted.host_keys
            for half, value in (("private", key.private), ("public", key.public))
        }
    return data
