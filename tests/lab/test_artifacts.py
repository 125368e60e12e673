"""A file that its makers publish, on its way to real hosts: tampered with, and to a classroom without a network."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from pathlib import Path

from tests.fileserver import serving
from tests.lab.controller import Controller

from bramble.lab.testing import Lab

CONTENT = random.Random(5).randbytes(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PLACE = "/usr/local/lib/beacon/extra"


def test_a_classroom_without_a_network(fresh_lab: Lab, tmp_path: Path) -> None:
    first, file = Controller.of(fresh_lab, tmp_path / "first"), str(tmp_path / "class.tar")
    first = dataclasses.replace(first, env={**first.env, "XDG_CACHE_HOME": str(tmp_path / "first" / "cache")})
    before = fresh_lab.snapshot("red01")
    with serving() as server:
        server.files["/extra"] = CONTENT
        options = ("--set", f"release={server.url('/extra')}", "--set", f"digest=sha256:{DIGEST}")

        # Tampered with on the way: nothing is touched.
        server.faults = ["wrong"]
        tampered = first.run("deploy", "beacon", *options)
        assert tampered.status == 1 and "is not what it must be, and nothing was touched" in tampered.stderr
        assert fresh_lab.snapshot("red01") == before

        # Where there is a network: cut once, and all the same had; then carried as one file.
        server.faults = ["cut"]
        fetched = first.run("artifacts", "fetch", "beacon", *options, "--architecture", "amd64")
        assert fetched.status == 0 and "another try" in fetched.stderr, fetched.said
        assert first.run("artifacts", "export", file, "beacon").status == 0

    # Where there is none, and no Go either.
    there = Controller.of(fresh_lab, tmp_path / "there")
    env = {"XDG_CACHE_HOME": str(tmp_path / "there" / "cache"), "PATH": "/usr/bin:/bin"}
    there = dataclasses.replace(there, env={**there.env, **env})
    missing = there.run("deploy", "beacon", *options)
    assert missing.status == 1 and server.url("/extra") in missing.stderr and "artifacts import" in missing.stderr
    assert there.run("artifacts", "import", file).status == 0
    deployed = there.json("deploy", "beacon", *options)
    assert deployed.status == 0 and deployed.report["verified"] is True, deployed.said[-3000:]
    for host in fresh_lab.hosts:
        assert fresh_lab.execute(host, "sha256sum", PLACE).split()[0] == DIGEST
    assert f"beacon on {there.cluster}" in there.run("artifacts").stdout
    assert "0 MB are free again" in there.run("artifacts", "clean", "--unused").stdout
    assert there.json("deploy", "beacon").report["changed"] == 0
    assert there.run("remove", "beacon", "--purge", "--yes").status == 0
    assert "3 MB are free again" in there.run("artifacts", "clean", "--unused").stdout


def test_a_host_that_restarts_meanwhile_gets_the_rest(fresh_lab: Lab, tmp_path: Path) -> None:
    """Its connection goes in the middle of a file, which others would have had from it."""
    content, restarting = bytes(300_000_000), fresh_lab.hosts[0]
    controller = Controller.of(fresh_lab, tmp_path / "controller")
    controller = dataclasses.replace(controller, env={**controller.env, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    fresh_lab.shell(restarting, "mkdir -p /boot/firmware; echo rootwait >/boot/firmware/cmdline.txt")
    with serving() as server:
        server.files["/extra"] = content
        digest = hashlib.sha256(content).hexdigest()
        options = {"release": server.url("/extra"), "digest": f"sha256:{digest}", "restart": restarting}
        done = controller.json("deploy", "beacon", *(f"--set={name}={value}" for name, value in options.items()))
    assert done.status == 0 and done.report["verified"] is True, done.said[-3000:]
    kinds = [event["kind"] for event in done.events if event.get("host") == restarting]
    assert "step-progress" in kinds[kinds.index("host-rebooting") :], "all was there before it restarted"
    for host in fresh_lab.hosts:
        assert fresh_lab.execute(host, "sha256sum", PLACE).split()[0] == digest
        assert fresh_lab.shell(host, "ls -A /var/lib/bramble/artifacts 2>/dev/null || true") == ""
