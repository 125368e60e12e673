"""The root of the test image: Debian for arm64, set up without running a single arm64 program.

Emulating the packages' set-up takes ten minutes and a kernel that is told how. So the packages are set up as the
machine's own architecture, which takes one; what that leaves behind (users, units, byte code, locales) is the same for
every architecture. Then the same packages for arm64 are unpacked over it, and every program is an arm64 one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bramble.errors import BrambleError
from bramble.lab.archive import Release, apt_settings, available, candidate, proxy_environment
from bramble.lab.process import clean_environment, last_lines

RELEASE = "trixie"
#: What Ubuntu's and Raspberry Pi OS's images set a host up with at its first start, and what that needs. First come
#: the essential packages: mmdebstrap's `custom` takes them from nowhere else.
PACKAGES = (
    *("base-files", "base-passwd", "bash", "bsdutils", "coreutils", "dash", "debianutils", "diffutils", "dpkg"),
    *("findutils", "grep", "gzip", "hostname", "init-system-helpers", "libc-bin", "login", "mawk", "ncurses-base"),
    *("ncurses-bin", "passwd", "perl-base", "sed", "sysvinit-utils", "tar", "util-linux"),
    *("apt", "dbus", "e2fsprogs", "iproute2", "kmod", "procps", "systemd-sysv", "udev"),
    *("cloud-init", "cloud-guest-utils", "locales", "netplan.io", "openssh-server", "python3", "sudo"),
    *("systemd-resolved", "tzdata"),
)
#: Unpacked but never set up: what the boot partition is made of.
BOOTED = ("busybox-static", "linux-image-cloud-arm64")
#: What the first stage of the start needs to find the root, and modules with what they depend on.
MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "ext4")
LOCALES = ("en_GB.UTF-8", "de_DE.UTF-8")
#: Nothing of it says anything about a card, and emulation makes each dear.
MASKED = (
    *("apt-daily-upgrade.timer", "apt-daily.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "fstrim.timer", "ldconfig.service", "modprobe@.service", "sys-kernel-debug.mount"),
    *("sys-kernel-tracing.mount", "systemd-binfmt.service"),
)
_DOCUMENTS = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/consolefonts")
_FILES = {
    "etc/fstab": "LABEL=writable / ext4 defaults 0 1\nLABEL=system-boot /boot/firmware vfat defaults 0 1\n",
    # As Ubuntu's images for Pis say where cloud-init finds its files.
    "etc/cloud/cloud.cfg.d/99-pi.cfg": (
        "datasource_list: [NoCloud, None]\ndatasource: {NoCloud: {fs_label: system-boot}}\n"
    ),
    # As Ubuntu's: it builds what is asked for. Debian's would build all of /etc/locale.gen anew, a minute here.
    "usr/local/sbin/locale-gen": (
        "#!/bin/sh -e\n"
        "for name; do\n"
        '    locale -a | grep -qix "$(echo "$name" | sed \'s/UTF-8/utf8/\')" ||\n'
        '        localedef -i "${name%.*}" -f "${name#*.}" "$name"\n'
        "done\n"
    ),
    # What cloud-init starts anew when the keyboard is another. The real one takes a minute here, for a screen.
    "etc/systemd/system/console-setup.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    # An emulated machine on busy cores is slow, and nothing of that is a fault.
    "etc/systemd/system.conf.d/emulated.conf": (
        "[Manager]\nDefaultTimeoutStartSec=15min\nDefaultDeviceTimeoutSec=15min\n"
    ),
    # A virtual machine has no radio, so nobody is to wait for it.
    "etc/systemd/system/sys-subsystem-net-devices-wlan0.device.d/none.conf": "[Unit]\nJobRunningTimeoutSec=2\n",
    "etc/hostname": "pi\n",
    "etc/machine-id": "",
}
#: Run as the machine's own architecture, while the programs still are: modules are only read.
_NATIVE = """set -e
printf '%s UTF-8\\n' LOCALES >/etc/locale.gen
locale-gen >/dev/null
version=$(basename /usr/lib/modules/*)
depmod "$version"
modprobe --set-version "$version" --show-depends --all MODULES >/boot/modules
systemctl mask MASKED
rm -f /etc/ssh/ssh_host_*
"""


def make_root(folder: Path) -> Path:
    """Make the root in a folder, which is empty; returns where in it. The log stays beside it if this fails.

    Raises
    ------
    BrambleError
        Something could not be downloaded or set up; ``why`` is the end of the log.
    """
    release = available(candidate(RELEASE))
    settings = folder / "apt.conf"
    settings.write_text(apt_settings() + 'Dir::Etc::netrcparts "/etc/apt/auth.conf.d";\n')
    root, unpacked = folder / "root", folder / "arm64.tar"
    both = [
        _start(folder / "native.log", _mmdebstrap(release, settings, "custom", root)),
        _start(folder / "arm64.log", _mmdebstrap(release, settings, "extract", unpacked, "arm64")),
    ]
    for running in both:
        _finish(*running)
    _run(folder, ["tar", "-C", root, "-xf", unpacked, *_TAR, "./usr/lib/modules", "./boot"])
    script = _NATIVE
    for name, words in (("LOCALES", LOCALES), ("MODULES", MODULES), ("MASKED", MASKED)):
        script = script.replace(name, " ".join(words))
    _run(folder, ["chroot", root, "sh", "-c", script])
    _run(folder, ["tar", "-C", root, "-xf", unpacked, *_TAR, "--exclude=./dev", "--exclude=./etc/machine-id"])
    unpacked.unlink()
    _clean(root)
    for name, text in _FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    (root / "boot/firmware").mkdir()
    # Else systemd would take the system for one that was upgraded offline, and prepare it anew.
    for name in ("etc", "var"):
        (root / name / ".updated").touch()
    return root


#: A folder of one may be a link in the other (`/lib`), and has the rights it was set up with. Byte code of
#: Python goes by the time of its source, which another architecture's package has from another day.
_TAR = (
    *("--keep-directory-symlink", "--no-overwrite-dir", "--numeric-owner"),
    *(f"--exclude=./{name}" for name in (*_DOCUMENTS, "usr/lib/python3/dist-packages/*.py")),
)


def _mmdebstrap(release: Release, settings: Path, variant: str, target: Path, architecture: str = "") -> list[str]:
    packages = PACKAGES if variant == "custom" else (*PACKAGES, *BOOTED)
    return [
        "mmdebstrap",
        "--mode=root",
        f"--variant={variant}",
        f"--include={','.join(packages)}",
        f"--keyring={release.keyring}",
        f"--aptopt={settings}",
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude=/{name}/*" for name in _DOCUMENTS),
        *([f"--architectures={architecture}", "--skip=check/qemu"] if architecture else []),
        release.name,
        str(target),
        *(source.line() for source in release.sources),
    ]


def _clean(root: Path) -> None:
    """Take out what only the machine's own architecture, or the making, needed."""
    for path in (*root.glob("usr/lib/*-linux-gnu*"), root / "usr/lib64", *root.glob("var/lib/apt/lists/*")):
        if not path.name.startswith("aarch64"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in ("lib64", "etc/ld.so.cache", "etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap"):
        (root / name).unlink(missing_ok=True)
    status = root / "var/lib/dpkg/status"
    status.write_text(re.sub("^Architecture: (?!all$).*", "Architecture: arm64", status.read_text(), flags=re.M))
    for path in root.glob("var/lib/dpkg/info/*:*"):
        path.rename(path.with_name(re.sub(":[a-z0-9]+", ":arm64", path.name)))


def _start(log: Path, argv: Sequence[str | Path]) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a program in namespaces of its own, so that neither it nor its mounts outlive us, however we die."""
    guard = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
    environment = clean_environment({"DEBIAN_FRONTEND": "noninteractive", **proxy_environment()})
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*guard, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment
        )
    return process, log


def _finish(process: subprocess.Popen[bytes], log: Path) -> None:
    if process.wait() != 0:
        raise BrambleError("the test image could not be built", why=last_lines(log.read_text(errors="replace"), 8))


def _run(folder: Path, argv: Sequence[str | Path]) -> None:
    _finish(*_start(folder / "build.log", argv))
