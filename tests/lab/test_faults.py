"""A few seeds of the fault campaign; many more: ``make faults SEEDS=1-200``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab.faults.campaign import carry_out
from tests.lab.faults.schedule import KINDS, schedule

from bramble.lab.testing import Lab

HOSTS = ("red", "red01", "red02")

#: Short ones, in which controllers and runners are killed, hosts cut off, a disk is full, and two runs meet.
SEEDS = (7, 8, 9)


def test_a_seed_replays() -> None:
    for seed in range(200):
        assert schedule(seed, HOSTS) == schedule(seed, HOSTS)
    assert len({schedule(seed, HOSTS).rounds for seed in range(200)}) > 190


def test_every_kind_of_fault_falls_on_every_verb() -> None:
    found = {
        (r.words[0], fault.kind) for seed in range(200) for r in schedule(seed, HOSTS).rounds for fault in r.faults
    }
    assert found == {(verb, kind) for verb in ("deploy", "scale", "remove") for kind in KINDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_by_faults(seed: int, lab: Lab, tmp_path: Path) -> None:
    carry_out(schedule(seed, lab.hosts), lab, tmp_path / "controller")
    lab.reset()  # small disks go
