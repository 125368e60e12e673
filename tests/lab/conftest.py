"""Fixtures that give tests real hosts.

A lab of tests lives in folders of its own, so nobody's labs, clusters or settings are touched; only the cache of base
trees and packages is shared. Where no lab can run, the tests fail and say what to install: they are never skipped.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from tests.lab.controller import Controller
from tests.lab.proven import LONG, is_proven, is_whole, note, proof_of

from bramble import lab as labs
from bramble.errors import BrambleError
from bramble.lab.requirements import require
from bramble.lab.testing import Lab

_PREFIX = "bramble-tests-"
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")


#: Files whose tests take longest. They begin first, so that no processor waits at the end for the last of them.
_LONGEST = (
    "test_suite", "test_cards_boot", "test_base", "test_slurm", "test_steps_failures", "test_serve",
    "test_serve_installed",
)  # fmt: skip

#: Services that other tests deploy, prove and remove on the other release, by themselves or because another needs them:
#: these go through the suite of all services on one alone, unless all is asked for (``--thorough``).
_ON_ONE = {"beacon": "trixie", "docker": "trixie", "hadoop": "trixie", "kubernetes": "bookworm", "spark": "trixie"}

#: Those that another of them brings along on the same release.
_BROUGHT_ALONG = ("containerd", "java")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is shown elsewhere or was shown already; the longest go first."""
    if not config.getoption("--thorough"):
        proven = {proof for proof in LONG if is_proven(proof)}
        left_out = [item for item in items if proof_of(item) in proven or _is_shown_elsewhere(item)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    turn = {stem: number for number, stem in enumerate(_LONGEST)}
    items.sort(key=lambda item: turn.get(item.path.stem, len(turn)))


def _is_shown_elsewhere(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    given = callspec.params if callspec and item.path.stem == "test_suite" else {}
    service, release = given.get("service", ""), given.get("hosts", "")
    return service in _BROUGHT_ALONG or _ON_ONE.get(service, release) != release


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Note which long proofs have passed, each from its first test to its last, where all were asked for."""
    if session.config.getoption("--thorough"):
        for proof in LONG:
            here = [item for item in session.items if proof_of(item) == proof]
            if is_whole(proof, len(here)) and all(item.stash.get(_PASSED, False) for item in here):
                note(proof)


_PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep whether a test passed."""
    report = yield
    if report.when == "call":
        item.stash[_PASSED] = report.passed
    return report


@pytest.fixture(scope="session")
def lab_folders() -> Iterator[Path]:
    """Folders of this run's own in place of the user's; labs that a killed run left behind are taken down first."""
    try:
        require()
    except BrambleError as error:
        pytest.fail(f"tests of the lab cannot run here: {error}", pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _clear(left, patch)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        with (folder / "owner").open("w") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX)
            _point_to(folder, patch)
            yield folder
            _take_down(folder)


def _point_to(folder: Path, patch: pytest.MonkeyPatch) -> None:
    for variable in _FOLDERS:
        path = folder / variable.lower().removeprefix("xdg_")
        path.mkdir(mode=0o700, exist_ok=True)
        patch.setenv(variable, str(path))


def _clear(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Take down what a test run left, if it is dead: a living one holds its lock."""
    try:
        with (folder / "owner").open("r+") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _point_to(folder, patch)
            _take_down(folder)
    except (BlockingIOError, FileNotFoundError):
        return


def _take_down(folder: Path) -> None:
    for left in (folder / "state_home" / "bramble" / "lab").glob("*"):
        labs.down(left.name)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def make_lab(lab_folders: Path) -> Iterator[Callable[..., Lab]]:
    """A function that makes a lab, ``make_lab(name, size, release)``; it goes with the session, or earlier by ``down``.

    A session has two cores for all its labs: take one down as soon as nobody needs it.
    """

    def make(name: str, size: int = 1, release: str = "bookworm", **options: object) -> Lab:
        labs.up(size, name, release, **options)  # type: ignore[arg-type]
        return Lab(name)

    assert lab_folders.exists()
    yield make
    for status in labs.labs():
        labs.down(status.name)


@pytest.fixture(scope="session")
def red(make_lab: Callable[..., Lab]) -> Lab:
    """The session's lab of three bookworm hosts. Use :func:`lab` unless you leave the hosts as they were."""
    return make_lab("red", 3, "bookworm")


@pytest.fixture
def lab(red: Lab) -> Lab:
    """The session's lab, all hosts on and connected, as the tests before left their disks."""
    for host in red.status.hosts:
        if host.power == "paused":
            red.resume(host.name)
        if host.connected is False:
            red.heal(host.name)
    labs.up(None, red.name)
    return red


@pytest.fixture
def fresh_lab(red: Lab) -> Lab:
    """The session's lab with freshly written cards in all hosts (about two seconds)."""
    red.reset()
    return red


@pytest.fixture
def controller(fresh_lab: Lab, tmp_path: Path) -> Controller:
    """The command line of somebody who has never used it, and the hosts of the session's lab, freshly written."""
    return Controller.of(fresh_lab, tmp_path / "controller")
