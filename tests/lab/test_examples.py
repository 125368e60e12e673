"""The example programs of the manual do what it says of them, on real hosts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab.controller import Controller

from bramble.lab.testing import Lab

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


def test_deploy(lab: Lab, tmp_path: Path) -> None:
    controller = Controller.of(lab, tmp_path / "controller")
    program = [sys.executable, str(EXAMPLES / "deploy.py"), "beacon"]
    done = subprocess.run([*program, ",".join(lab.hosts)], env=controller.env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for host in lab.hosts:
        assert f"{host}: File /etc/beacon/settings.json: create" in done.stdout
        assert f"{host}: done, " in done.stdout
    assert done.stdout.endswith("beacon works: True\n")

    wrong = subprocess.run([*program, "red[01-"], env=controller.env, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "red[01-" in wrong.stderr
    assert "Traceback" not in wrong.stderr

    assert controller.run("remove", "beacon", "--purge", "--yes").status == 0
