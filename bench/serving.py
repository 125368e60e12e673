"""`bramble serve` as a person starts it, for comparisons."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import ROOT, command

BRAMBLE = str(ROOT / ".venv" / "bin" / "bramble")


@dataclass(frozen=True)
class Serving:
    """A service at work.

    Attributes
    ----------
    authority
        The certificate to trust.
    token
        An admin's.
    """

    url: str
    pid: int
    authority: Path
    token: str

    @property
    def memory(self) -> float:
        """What it has resident, in MB."""
        kilobytes = re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        assert kilobytes is not None
        return int(kilobytes[1]) / 1000


@contextmanager
def serving(folder: Path, env: Mapping[str, str]) -> Iterator[Serving]:
    """A service of the same user, who is logged in there; what it keeps is in a folder of its own."""
    env = {**env, "XDG_DATA_HOME": str(folder)}
    password = folder / "password"
    password.write_text("four words in a row")
    password.chmod(0o600)
    secret = ["--password-file", str(password)]
    serve = [BRAMBLE, "serve", "--port", "0", "--admin", "bench", *secret]
    process = subprocess.Popen(serve, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        said = "".join(process.stdout.readline() for _ in range(3))
        (port,), (fingerprint,) = re.findall(r":(\d+)/$", said, re.MULTILINE), re.findall(r"SHA-256 (\S+)", said)
        url = f"https://127.0.0.1:{port}"
        command([BRAMBLE, "login", url, "--user", "bench", *secret, "--fingerprint", fingerprint], env)
        create = [BRAMBLE, "tokens", "create", "bench", "--owner", "bench", "--scope", "admin"]
        made = subprocess.run(create, env={**os.environ, **env}, capture_output=True, text=True, check=True)
        yield Serving(url, process.pid, folder / "bramble/service/tls/ca.crt", made.stdout.strip())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()
