"""Runs that are cut in two: a host killed or cut off, the controller killed or interrupted, two runs at once."""

from __future__ import annotations

import time

from tests.lab.controller import Controller
from tests.lab.faults.nemesis import Nemesis
from tests.lab.faults.schedule import Fault
from tests.lab.test_wrong_connection import healed, served

from bramble import lab as labs
from bramble.lab.testing import Lab

#: Makes a step long enough to be hit in its middle.
LONG = ("--set", "pause=8")


def quiet(lab: Lab, seconds: float = 60.0) -> None:
    """No run holds any host any more."""
    assert Nemesis(lab).wait_until_quiet(seconds) == ""


def test_a_host_killed_in_mid_step(controller: Controller, fresh_lab: Lab) -> None:
    run = controller.start("deploy", "beacon", *LONG)
    run.until("step-started", host="red02", step="settle")
    fresh_lab.kill("red02")
    done = run.finish()
    assert done.status == 1
    assert done.outcomes() == {"red": "done", "red01": "done", "red02": "failed"}
    failure = done.failure("red02")
    assert failure["error"] == "ConnectionLost" and "again" in failure["hint"]
    served(fresh_lab, "red", "red01")
    fresh_lab.start("red02")
    healed(controller, fresh_lab)


def test_a_host_cut_off_in_mid_step_and_healed(controller: Controller, fresh_lab: Lab) -> None:
    """It is given up when it does not answer; healed, it is not held by the run that lost it."""
    run = controller.start("deploy", "beacon", *LONG)
    run.until("step-started", host="red02", step="settle")
    fresh_lab.cut("red02")
    done = run.finish()
    assert done.outcomes() == {"red": "done", "red01": "done", "red02": "failed"}
    assert "does not answer" in done.failure("red02")["why"]
    served(fresh_lab, "red", "red01")
    fresh_lab.heal("red02")
    quiet(fresh_lab)
    healed(controller, fresh_lab)


def test_a_host_cut_off_for_a_moment_is_not_lost(controller: Controller, fresh_lab: Lab) -> None:
    run = controller.start("deploy", "beacon", *LONG)
    run.until("step-started", host="red02", step="settle")
    fresh_lab.cut("red02")
    time.sleep(3)
    fresh_lab.heal("red02")
    done = run.finish()
    assert done.status == 0, done.said
    assert done.report["verified"] is True


def test_the_controller_killed_in_mid_deploy(controller: Controller, fresh_lab: Lab) -> None:
    before = {host: fresh_lab.snapshot(host) for host in fresh_lab.hosts}
    run = controller.start("deploy", "beacon", *LONG)
    run.until("step-started", host="red01", step="settle")
    run.kill()
    assert run.finish().status == -9
    quiet(fresh_lab)
    assert controller.run("runs").status == 0
    healed(controller, fresh_lab)
    assert controller.run("remove", "beacon").status == 0
    for host, found in before.items():
        assert labs.diff_snapshots(found, fresh_lab.snapshot(host)) == []


def test_ctrl_c_stops_between_two_steps_and_says_how_to_go_on(controller: Controller, fresh_lab: Lab) -> None:
    run = controller.start("deploy", "beacon", *LONG)
    run.until("step-started", host="red01", step="settle")
    run.interrupt()
    done = run.finish()
    assert done.status == 130, done.said
    assert "bramble deploy beacon" in done.stderr
    assert "Traceback" not in done.said
    quiet(fresh_lab, 5)
    assert not fresh_lab.shell("red01", "pgrep -x sleep", check=False), "the abandoned step runs on"
    healed(controller, fresh_lab)


def test_two_deployments_at_once(controller: Controller, fresh_lab: Lab) -> None:
    run = controller.start("deploy", "beacon", *LONG)
    run.until("step-started", host="red01", step="settle")
    second = controller.run("deploy", "beacon", "--set", "word=other")
    assert second.status in (1, 2, 3)
    for host in fresh_lab.hosts:
        assert host in second.stdout
    assert "another run is at work" in second.stdout and "hint:" in second.said
    first = run.finish()
    assert first.status == 0, first.said
    assert "hello" in fresh_lab.execute("red01", "cat", "/etc/beacon/settings.json")
    assert controller.json("deploy", "beacon").report["verified"] is True


def test_the_runner_killed_in_mid_step(controller: Controller, fresh_lab: Lab) -> None:
    run = controller.start("deploy", "beacon", *LONG)
    run.until("step-started", host="red01", step="settle")
    Nemesis(fresh_lab).inflict(Fault("runner killed", 0, "red01"))
    done = run.finish()
    assert done.status == 1
    assert done.outcomes() == {"red": "done", "red01": "failed", "red02": "done"}
    served(fresh_lab, "red", "red02")
    healed(controller, fresh_lab)


def test_a_worker_that_is_down_can_be_dropped(controller: Controller, fresh_lab: Lab) -> None:
    assert controller.run("deploy", "beacon").status == 0
    fresh_lab.kill("red02")
    done = controller.run("scale", "beacon", "--drop", "red02", "--yes", "--connect-timeout", "4")
    assert "red02" in done.stdout
    assert controller.json("verify", "beacon").outcomes() == {"red": "done", "red01": "done"}
    fresh_lab.start("red02")
