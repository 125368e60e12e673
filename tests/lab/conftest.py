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
from tests.lab.proven import LONG, is_proven, note

from bramble import lab as labs
from bramble import services
from bramble.api.needs import with_needs
from bramble.errors import BrambleError
from bramble.lab.requirements import require
from bramble.lab.testing import Lab

_PREFIX = "bramble-tests-"
_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")


#: Files whose every test runs containers, or an emulated machine, which keeps processors as busy.
_WITH_CONTAINERS = (
    "test_artifacts",
    "test_cards_boot",
    "test_docker",
    "test_images",
    "test_kubernetes",
    "test_web_app",
)


#: Services that other tests deploy, prove and remove on the other release, by themselves or because another needs them:
#: these go through the suite of all services on one alone, unless all is asked for (``--thorough``).
_ON_ONE = {
    "beacon": "trixie",
    "containerd": "trixie",
    "docker": "trixie",
    "hadoop": "trixie",
    "java": "trixie",
    "kubernetes": "bookworm",
    "spark": "trixie",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests that run containers, which go apart from the others; leave out what is shown elsewhere or already."""
    shown_elsewhere = []
    thorough = config.getoption("--thorough")
    proven = {test for test in LONG if not thorough and is_proven(test)}
    for item in items:
        callspec = getattr(item, "callspec", None)
        given = callspec.params if callspec else {}
        service, release = given.get("service"), given.get("hosts")
        needed = [room.name for room in with_needs(service)] if service in services.names() else []
        if item.path.stem.startswith(_WITH_CONTAINERS) or "containerd" in needed:
            item.add_marker(pytest.mark.containers)
        on_another = release and _ON_ONE.get(str(service), release) != release
        if (on_another and not thorough) or item.path.stem in proven:
            shown_elsewhere.append(item)
    items[:] = [item for item in items if item not in shown_elsewhere]
    config.hook.pytest_deselected(items=shown_elsewhere)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Note which long proofs have passed, each from its first test to its last, where all were asked for."""
    if session.config.getoption("--thorough"):
        for test in LONG:
            here = [item for item in session.items if item.path.stem == test]
            whole = here and len(here) == here[0].path.read_text(encoding="utf-8").count("\ndef test_")
            if whole and all(item.stash.get(_PASSED, False) for item in here):
                note(test)


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
