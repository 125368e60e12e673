"""Fixed addresses: what each manager is told, the trial on the host, and the controller that looks for it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.disk import Disk
from tests.unit.test_base import CLUSTER, FACTS
from tests.unit.test_engine_run import A, Answer, PlayedSession, Stage, obliging

from bramble import inventory, services
from bramble.errors import PlanError, Unreachable, UsageError
from bramble.model import Cluster, Host, HostSet, pair_addresses
from bramble.plan import Plan, group
from bramble.runner import network, trial
from bramble.runner.step import StepError
from bramble.runner.steps import Address
from bramble.runner.steps.addressing import DHCPCD_CONF, Wanted, way
from bramble.services.base import SERVICE

WANTED = Wanted(interface="eth0", address="10.1.1.9/24", gateway="10.1.1.254", dns=("10.1.1.253", "1.1.1.1"))


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


# Who is told, and what


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"/run/NetworkManager/devices/2": "[device]\nmanaged=true\n"}, "NetworkManager"),
        ({"/run/NetworkManager/devices/2": "[device]\nmanaged=false\n"}, ""),
        ({"/run/systemd/netif/links/2": "NETWORK_FILE=/run/systemd/network/10-netplan-eth0.network\n"}, "netplan"),
        ({"/run/systemd/netif/links/2": "NETWORK_FILE=/etc/systemd/network/eth0.network\n"}, ""),
        ({"/run/dhcpcd.pid": "412\n"}, "dhcpcd"),
        ({"/run/dhcpcd/pid": "412\n"}, "dhcpcd"),
        ({}, ""),
    ],
)
def test_whoever_manages_the_interface_is_found(files: dict[str, str], found: str) -> None:
    there = {"/sys/class/net/eth0/ifindex": "2\n", **files}
    assert network.manager("eth0", lambda path: there.get(path, "")) == found


ROUTES = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("wlan0 00000000 FE01010A 3 0 0 600 00000000 0 0 0\neth0 00000000 FE01010A 3 0 0 100 00000000 0 0 0\n", "eth0"),
        ("eth1 0001010A 00000000 1 0 0 0 00FFFFFF 0 0 0\n", "eth1"),
        ("eth1 0001010A 00000000 1 0 0 0 00FFFFFF 0 0 0\neth2 0002010A 00000000 1 0 0 0 00FFFFFF 0 0 0\n", ""),
        ("", ""),
    ],
)
def test_the_way_out_is_the_default_route_or_the_only_network(rows: str, found: str) -> None:
    assert network.outward(lambda path: ROUTES + rows if path == "/proc/net/route" else "") == found


def test_network_manager_gets_a_profile_that_goes_first(disk: Disk) -> None:
    disk.put("/sys/class/net/eth0/ifindex", "2\n")
    disk.put("/run/NetworkManager/devices/2", "[device]\nconnection-uuid=6bd0cf31\n")
    found = way(disk, "NetworkManager", WANTED)
    (content,) = found.files.values()
    assert content is not None and content[1] == 0o600
    lines = content[0].splitlines()
    assert {"address1=10.1.1.9/24,10.1.1.254", "dns=10.1.1.253;1.1.1.1;", "autoconnect-priority=999"} <= set(lines)
    assert found.back[-1] == ("nmcli", "connection", "up", "6bd0cf31")


def test_netplan_gets_a_file_of_ours(disk: Disk) -> None:
    disk.put("/etc/netplan/50-cloud-init.yaml", "network: {version: 2, ethernets: {eth7: {dhcp4: true}}}\n")
    found = way(disk, "netplan", WANTED)
    ((path, content),) = found.files.items()
    assert path == "/etc/netplan/90-bramble.yaml" and content is not None and content[1] == 0o600
    assert json.loads(content[0].partition("\n")[2])["network"]["ethernets"]["eth0"] == {
        "dhcp4": False,
        "addresses": ["10.1.1.9/24"],
        "routes": [{"to": "default", "via": "10.1.1.254"}],
        "nameservers": {"addresses": ["10.1.1.253", "1.1.1.1"]},
    }


def test_dhcpcd_s_other_lines_stay_and_ours_are_there_once(disk: Disk) -> None:
    theirs = (
        "persistent\ninterface eth0\nstatic ip_address=10.1.1.7/24\nmetric 5\ninterface eth1\nstatic routers=1.2.3.4\n"
    )
    disk.put(DHCPCD_CONF, theirs)
    first = way(disk, "dhcpcd", WANTED).files[DHCPCD_CONF]
    assert first is not None
    assert first[0].startswith(
        "persistent\ninterface eth0\nmetric 5\ninterface eth1\nstatic routers=1.2.3.4\n# bramble"
    )
    assert first[0].count("static ip_address=") == 1 and "static ip_address=10.1.1.9/24" in first[0]
    disk.put(DHCPCD_CONF, first[0])
    other = way(disk, "dhcpcd", dataclasses.replace(WANTED, address="10.1.1.8/24")).files[DHCPCD_CONF]
    assert other is not None and other[0] == first[0].replace("10.1.1.9", "10.1.1.8")


def test_nobody_else_is_told(disk: Disk) -> None:
    with pytest.raises(StepError, match="nobody that bramble knows gives eth0 an address"):
        way(disk, "", WANTED)


# The trial


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NOTICE", 0.0), ("LOOK", 0.01), ("PATIENCE", 0.05)):
        monkeypatch.setattr(trial, name, value)


def tried(folder: Path, disk: Path, **changes: Any) -> trial.Trial:
    """A trial whose commands write down that they were called."""

    def note(word: str) -> tuple[str, ...]:
        return ("sh", "-c", f"echo {word} >> {disk}/calls")

    values: dict[str, Any] = {
        "address": "10.1.1.9",
        "deadline": 0.2,
        "files": {f"{disk}/conf": ("new", 0o600), f"{disk}/gone": None},
        "before": {f"{disk}/conf": None, f"{disk}/gone": ("there", 0o644)},
        "forth": (note("forth"),),
        "back": (note("back"),),
        "rescue": (note("rescue"),),
        "has": ("echo", "10.1.1.1"),
        "record": {},
        **changes,
    }
    made = trial.Trial(**values)
    folder.mkdir()
    (folder / "trial").write_text(json.dumps({name: getattr(made, name) for name in values}))
    (disk / "gone").write_text("there")
    return made


def state(folder: Path) -> tuple[str, str]:
    data = json.loads((folder / "state").read_text())
    return data["state"], data["why"]


@pytest.mark.usefixtures("quick")
def test_what_nobody_asks_to_keep_is_taken_back(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    tried(folder, tmp_path)
    trial.main(str(folder))
    assert state(folder) == ("back", "")
    assert not (tmp_path / "conf").exists() and (tmp_path / "gone").read_text() == "there"
    assert (tmp_path / "calls").read_text().split() == ["forth", "back"]


@pytest.mark.usefixtures("quick")
def test_what_somebody_asks_to_keep_stays(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    tried(folder, tmp_path, deadline=10.0)
    running = threading.Thread(target=trial.main, args=(str(folder),))
    running.start()
    while not (folder / "state").exists() or state(folder)[0] != "tried":
        time.sleep(0.01)
    (folder / "keep").touch()
    running.join(5)
    assert state(folder) == ("kept", "") and (tmp_path / "conf").read_text() == "new"
    assert (tmp_path / "calls").read_text().split() == ["forth"]


@pytest.mark.usefixtures("quick")
def test_what_fails_is_taken_back_at_once_and_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    tried(folder, tmp_path, deadline=60.0, forth=(("sh", "-c", "echo no carrier >&2; exit 4"),))
    trial.main(str(folder))
    assert state(folder)[0] == "failed" and "no carrier" in state(folder)[1]
    assert (tmp_path / "gone").read_text() == "there"


@pytest.mark.usefixtures("quick")
def test_an_address_that_nobody_brings_back_is_set_by_hand(tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    tried(folder, tmp_path, has=("true",))
    trial.main(str(folder))
    assert state(folder) == ("back", "its address was set by hand")
    assert (tmp_path / "calls").read_text().split() == ["forth", "back", "rescue"]


def test_a_trial_under_way_is_not_taken_for_one_s_own(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    folder = Path(disk.path(trial.FOLDER))
    tried(folder, tmp_path)
    (folder / "state").write_text(json.dumps({"state": "tried", "why": ""}))
    step = Address(address="10.1.1.9/24")
    with pytest.raises(StepError, match="is trying the address"):
        step.check(disk)
    disk.reached = "10.1.1.9"
    assert step.check(disk) is not None
    (folder / "state").write_text(json.dumps({"state": "back", "why": ""}))
    with pytest.raises(StepError, match=r"nobody reached it at 10\.1\.1\.9"):
        step.check(disk)


# The controller


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bramble.engine.away.LOOK", 0.01)
    monkeypatch.setattr("bramble.engine.away.RETURN", 0.2)


async def moving(session: PlayedSession, title: str) -> AsyncIterator[Answer]:
    """A host that wants to move, and then does as it is asked."""
    if not getattr(session, "again", False):
        yield {"kind": "moves", "group": title, "address": "10.1.1.9", "deadline": 0.1}
    async for answer in obliging(session, title):
        yield answer


async def moves(there: bool, back: bool = True) -> tuple[Stage, list[tuple[str, str]], list[tuple[str, str]]]:
    stage = Stage(red=moving)
    told = stage.told
    await stage.run.connect(lock=True)

    async def again(name: str) -> Any:
        if (told[-1][1] and not there) or (not told[-1][1] and not back):
            raise Unreachable("no answer", host=name)
        stage.sessions[name] = session = PlayedSession(name, moving)
        session.again = True  # type: ignore[attr-defined]
        return session

    stage.opener = again
    await stage.run.carry_out(Plan(service="x", groups=(group("Address", ["red"], A),)), "apply")
    return stage, told, stage.settled


@pytest.mark.usefixtures("soon")
async def test_a_host_that_moves_is_found_there_and_stays_there() -> None:
    stage, told, settled = await moves(there=True)
    assert stage.outcome("red") == "done"
    assert told == [("red", "10.1.1.9")] and settled == [("red", "10.1.1.9")]


@pytest.mark.usefixtures("soon")
async def test_a_host_that_is_not_found_there_is_asked_at_its_old_address() -> None:
    stage, told, settled = await moves(there=False)
    assert told == [("red", "10.1.1.9"), ("red", "")] and settled == []
    assert stage.sessions["red"].groups == ["Address"]


@pytest.mark.usefixtures("soon")
async def test_a_host_that_is_found_nowhere_is_told_so() -> None:
    stage, _, settled = await moves(there=False, back=False)
    failure = stage.run.results()["red"].failure
    assert failure is not None and "neither at 10.1.1.9 nor at its old address" in failure.what
    assert settled == []
    await asyncio.sleep(0)


def test_the_cluster_file_follows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "bramble" / "clusters"
    folder.mkdir(parents=True)
    file = folder / "red.yaml"
    file.write_text('hosts: "red,red01"  # mine\naddresses:\n  red,red01: 10.1.1.[1-2]\n')
    inventory.readdress(inventory.load("red"), "red01", "10.1.1.9")
    assert {host.name: host.address for host in inventory.load("red").hosts} == {"red": "10.1.1.1", "red01": "10.1.1.9"}
    assert "# mine" in file.read_text()
    inventory.readdress(Cluster(name="blue", hosts=(Host(name="blue"),), manager="blue"), "blue", "10.1.1.9")


# What is asked


def test_addresses_go_to_hosts_in_their_order() -> None:
    assert pair_addresses(HostSet(["red", "red01"]), "10.1.1.[1-2]/24") == {
        "red": "10.1.1.1/24",
        "red01": "10.1.1.2/24",
    }
    with pytest.raises(UsageError, match="2 hosts and 3 addresses"):
        pair_addresses(HostSet(["red", "red01"]), "10.1.1.[1-3]/24")
    with pytest.raises(UsageError, match="how large the network is"):
        pair_addresses(HostSet(["red"]), "10.1.1.1")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"address": "10.1.1.1/24"}, "bramble prepare"),
        ({"address": "{red: 10.1.1.1}"}, "10.1.1.1/24"),
        ({"address": "{red: 10.1.1.0/24}"}, "cannot be a host's"),
        ({"address": "{red: 10.1.1.1/24, red01: 10.1.1.1/24}"}, "there twice"),
        ({"address": "{red: 10.1.1.1/24}", "gateway": "10.1.2.254"}, "not in the network of red"),
        ({"address": "{red: 10.1.1.1/24}", "gateway": "router"}, "gateway"),
        ({"gateway": "10.1.1.254"}, "goes with address"),
        ({"dns": "10.1.1.254"}, "goes with address"),
    ],
)
def test_an_address_that_cannot_be_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        services.configure(SERVICE, options)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"manager": ""}, "nobody that bramble knows"),
        ({"interface": "wlan0", "manager": "NetworkManager"}, "Wi-Fi (wlan0)"),
        ({"manager": "netplan", "address": "10.1.1.77"}, ""),
    ],
)
def test_a_host_on_which_nobody_could_be_told_is_refused(changes: dict[str, Any], words: str) -> None:
    config = services.configure(SERVICE, {"address": "{red01: 10.1.1.9/24}", "gateway": "10.1.1.254"})
    facts = {**FACTS, "red01": dataclasses.replace(FACTS["red01"], **changes)}
    if not words:
        assert [part.title for part in SERVICE.plan(CLUSTER, config, facts).groups] == ["Address"]
        return
    with pytest.raises(PlanError) as caught:
        SERVICE.plan(CLUSTER, config, facts)
    assert words in str(caught.value) and "red01" in str(caught.value)


def test_another_host_s_address_is_not_given_away() -> None:
    facts = {name: dataclasses.replace(one, manager="dhcpcd") for name, one in FACTS.items()}
    config = services.configure(SERVICE, {"address": "{red01: 10.1.1.3/24}"})
    with pytest.raises(PlanError, match="is the address of red02 now"):
        SERVICE.plan(CLUSTER, config, facts)
