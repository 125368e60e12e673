"""What a host says that cannot join, and when a new token is made: shell scripts with a kubectl that plays."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bramble.services.kubernetes.configuration import text
from bramble.services.kubernetes.scripts import shell

#: Time that passes by ten seconds with each look at it, and a sleep that takes none.
DATE = """#!/bin/sh
[ $# = 1 ] || exec /bin/date "$@"
now=$(cat "$PLAYED/now" 2>/dev/null || echo 1000); echo $((now + 10)) >"$PLAYED/now"; echo "$now"
"""
KUBECTL = """#!/bin/sh
echo "$KUBECONFIG $*" >>"$PLAYED/asked"
case "$*" in
*"get secret"*) printf %s "$EXPIRES" | base64; exit ;;
esac
cat "${KUBECONFIG#*:}" >"$PLAYED/config" 2>/dev/null
[ -z "$FAULT" ] || { echo "$FAULT" >&2; exit 1; }
printf "$NODES"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A host's folder, and programs that play along."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in {"kubectl": KUBECTL, "date": DATE, "sleep": "#!/bin/sh\n"}.items():
        (programs / name).write_text(body)
        (programs / name).chmod(0o755)
    (tmp_path / "discovery.conf").write_text(text("discovery.conf").replace("$server", "10.1.1.1:6443"))
    (tmp_path / "join.yaml").write_text("discovery:\n  tlsBootstrapToken: abc.swordfish\n")
    (tmp_path / "token.yaml").write_text("metadata:\n  name: bootstrap-token-abc\n")
    return tmp_path


def run(home: Path, name: str, *argv: str, **played: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{home}/bin:{os.environ['PATH']}", "PLAYED": str(home), "FAULT": "", **played}
    sh, option, script = shell(name)
    script = script.replace("/usr/local/bin/kubectl", f"{home}/bin/kubectl")
    argv = (sh, option, script, name, str(home), *argv)
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(
    ("fault", "why", "hint"),
    [
        ("context deadline exceeded", "at https://10.1.1.1:6443: no answer within 30 s", "nft list ruleset"),
        ("dial tcp 10.1.1.1:6443: connect: connection refused", "connection refused", "sudo ss -ltnp"),
        ("error: You must be logged in to the server (Unauthorized)", "does not take the token", "makes a new one"),
        ("x509: certificate has expired or is not yet valid: current time", "the clocks", "timedatectl"),
        ("tls: x509: certificate signed by unknown authority", "not this cluster's", "6443"),
    ],
    ids=["firewall", "refused", "token", "clock", "somebody-else"],
)
def test_why_a_host_cannot_join(home: Path, fault: str, why: str, hint: str) -> None:
    done = run(home, "reach.sh", FAULT=f"Unable to connect to the server: {fault}")
    said = done.stderr.splitlines()
    assert done.returncode == 1 and len(said) == 2 and why in said[0], done
    assert said[1].startswith("hint: ") and hint in said[1]
    assert "swordfish" not in (home / "asked").read_text() and "swordfish" not in done.stderr
    assert not (home / "reach.conf").exists()


def test_a_host_that_can_join_says_nothing(home: Path) -> None:
    done = run(home, "reach.sh", NODES="{}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert 'token: "abc.swordfish"' in (home / "config").read_text() and not (home / "reach.conf").exists()
    assert len((home / "asked").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("nodes", "expires", "wanted"),
    [
        ("red Ready\\nred01 Ready,SchedulingDisabled\\n", "", True),
        ("red Ready\\n", "2001-01-01T00:00:00Z", False),
        ("red Ready\\n", "2999-01-01T00:00:00Z", True),
        # Cut while it joined: the cluster knows it, and it needs the token once more.
        ("red Ready\\nred01 NotReady\\n", "2001-01-01T00:00:00Z", False),
        ("red Ready\\nred01 NotReady\\n", "2999-01-01T00:00:00Z", True),
    ],
)
def test_when_there_must_be_a_new_token(home: Path, nodes: str, expires: str, wanted: bool) -> None:
    found = run(home, "known.sh", "red", "red01", NODES=nodes, EXPIRES=expires, KUBECONFIG="")
    assert (found.returncode == 0) is wanted, found
