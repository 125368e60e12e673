"""A lab as tests use it, for bramble's own and for those of services that others ship."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from bramble import lab as labs


@dataclass(frozen=True)
class Lab:
    """A lab as tests use it: its verbs without its name, and ways in that owe nothing to bramble's own connection."""

    name: str

    @property
    def status(self) -> labs.LabStatus:
        """What the lab is doing now."""
        return labs.status(self.name)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of all hosts."""
        return tuple(host.name for host in self.status.hosts)

    def address(self, host: str) -> str:
        """Address of a host."""
        return self.status.host(host).address

    def execute(self, host: str, *argv: str, check: bool = True) -> str:
        """Standard output of a command run in a host as root, past network and sshd."""
        return labs.execute(self.name, host, argv, check=check).stdout

    def shell(self, host: str, script: str, *, check: bool = True, timeout: float = 300.0) -> str:
        """Standard output of a shell script run in a host as root, past network and sshd."""
        return labs.execute(self.name, host, ["sh", "-ec", script], check=check, timeout=timeout).stdout

    def ssh(
        self, host: str, command: str, *, user: str = "pi", timeout: float = 20.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command over OpenSSH's own client."""
        status = self.status
        words = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-i", status.key]
        words += ["-o", f"UserKnownHostsFile={status.known_hosts}", "-o", "StrictHostKeyChecking=yes"]
        words += [f"{user}@{status.host(host).address}", command]
        return subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False)

    def kill(self, host: str) -> None:
        """Cut a host's power."""
        labs.kill(self.name, host)

    def start(self, host: str) -> None:
        """Switch a host on and wait for it."""
        labs.start(self.name, host)

    def cut(self, host: str) -> None:
        """Cut a host off the network."""
        labs.cut(self.name, host)

    def heal(self, host: str) -> None:
        """Connect a host again."""
        labs.heal(self.name, host)

    def pause(self, host: str) -> None:
        """Stop all processes of a host."""
        labs.pause(self.name, host)

    def resume(self, host: str) -> None:
        """Let them go on."""
        labs.resume(self.name, host)

    def reset(self, *hosts: str) -> None:
        """Freshly written cards for these hosts (all by default)."""
        labs.reset(self.name, *hosts)

    def small_disk(self, host: str, path: str, size: int) -> None:
        """A disk of that many bytes at a path; see :func:`bramble.lab.small_disk`."""
        labs.small_disk(self.name, host, path, size)

    def fill(self, host: str, path: str = "/", leave: int = 0) -> None:
        """Fill a small disk up."""
        labs.fill(self.name, host, path, leave=leave)

    def drain(self, host: str, path: str = "/") -> None:
        """Take out what :meth:`fill` put in."""
        labs.drain(self.name, host, path)

    def snapshot(self, host: str) -> labs.Snapshot:
        """All on a host that matters for "as it was found"."""
        return labs.snapshot(self.name, host)
