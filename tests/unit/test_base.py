"""The base room: what it plans for which host, what it refuses, and what its options take."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from tests.unit.board import PI

from bramble import services
from bramble.api.prepare import own_timezone
from bramble.errors import PlanError, UsageError
from bramble.model import Cluster, Host
from bramble.plan import Plan
from bramble.runner.facts import Facts
from bramble.runner.step import Step
from bramble.runner.steps import File, FirmwareSetting, KernelArgument, Line, Reboot
from bramble.services.base import SERVICE, access

CLUSTER = Cluster(name="red", hosts=tuple(Host(name=name) for name in ("red", "red01", "red02")), manager="red")
BOOT = ("/boot/firmware/config.txt", "/boot/firmware/cmdline.txt")
FACTS = {
    name: dataclasses.replace(PI, paths=BOOT, address=f"10.1.1.{number}", interface="eth0")
    for number, name in enumerate(CLUSTER.hostset, 1)
}

#: Everything that needs no host of its own to be tried on.
ALL = {
    "hostname": "on",
    "names": "on",
    "timezone": "Europe/Berlin",
    "locale": "en_GB.UTF-8",
    "keyboard": "gb",
    "ntp": "ntp1.example.org,10.1.1.254",
    "upgrade": "on",
    "packages": "vim, tmux",
    "unattended_upgrades": "on",
    "radios": "off",
    "swap": "off",
    "cgroups": "on",
    "gpu_memory": "16",
    "modules": "vxlan,br_netfilter",
    "password": "/home/pi/password",
    "authorized_keys": "/home/pi/.ssh/id_ed25519.pub",
}


def made(facts: dict[str, Facts] | None = None, **options: object) -> Plan:
    return SERVICE.plan(CLUSTER, services.configure(SERVICE, options), facts or FACTS)


def steps(plan: Plan, host: str) -> list[Step]:
    return [step for part in plan.of(host) for step in part.steps[host]]


@pytest.mark.parametrize("case", ["everything", "hostname", "trixie"])
def test_plan_is_as_it_was(case: str, snapshot: SnapshotAssertion) -> None:
    options: dict[str, object] = {"hostname": "on"} if case == "hostname" else dict(ALL)
    found = FACTS
    if case == "trixie":
        more = ("/etc/rpi/swap.conf", "/etc/cloud/cloud.cfg.d", "/usr/lib/systemd/system-generators/zram-generator")
        found = {name: dataclasses.replace(one, paths=(*BOOT, *more)) for name, one in FACTS.items()}
        options = {"hostname": "on", "swap": "off", "reboot": "all at once", "cgroups": "on"}
    config = services.configure(SERVICE, options)
    plans = {
        "plan": SERVICE.plan(CLUSTER, config, found).to_json(),
        "verify": SERVICE.verify(CLUSTER, config, found).to_json(),
    }
    assert json.dumps(plans, indent=1, ensure_ascii=False) == snapshot


def test_what_is_not_set_is_left_alone() -> None:
    assert made().groups == ()
    assert made(reboot="all at once").groups == ()


@pytest.mark.parametrize("option", [name for name in ALL if name not in ("password", "authorized_keys")])
def test_each_option_alone_does_something_and_is_looked_at(option: str) -> None:
    config = services.configure(SERVICE, {option: ALL[option]})
    assert steps(SERVICE.plan(CLUSTER, config, FACTS), "red01")
    proof = SERVICE.verify(CLUSTER, config, FACTS)
    assert list(proof.hosts) == list(CLUSTER.hostset) if option != "upgrade" else not proof.groups


def test_hosts_restart_one_after_the_other_and_the_manager_last() -> None:
    plan = made(cgroups="on")
    restarts = [part for part in plan.groups if part.title.startswith("Restart")]
    assert [(part.title, part.after, part.requires) for part in restarts] == [
        ("Restart red01", (), ()),
        ("Restart red02", ("Restart red01",), ("red01",)),
        ("Restart red", ("Restart red02",), ("red02",)),
    ]
    (step,) = restarts[0].steps["red01"]
    assert isinstance(step, Reboot) and step.when == ("KernelArgument cgroup_enable=memory",)


def test_hosts_restart_all_at_once_or_never_where_asked() -> None:
    together = [part.title for part in made(cgroups="on", reboot="all at once").groups]
    assert together == ["Boot", "Restart"]
    assert [part.title for part in made(cgroups="on", reboot="never").groups] == ["Boot"]


def test_nothing_asks_for_a_restart_where_all_is_in_force_at_once() -> None:
    assert not any(isinstance(step, Reboot) for step in steps(made(timezone="UTC", names="on", swap="off"), "red"))


def test_a_name_leads_to_an_address_that_others_reach() -> None:
    lines = [step for step in steps(made(hostname="on", names="on"), "red01") if isinstance(step, Line)]
    assert [line.line for line in lines if not line.absent] == ["10.1.1.1\tred", "10.1.1.2\tred01", "10.1.1.3\tred02"]
    assert [line.line for line in lines if line.absent] == ["127.0.1.1\tred01"]
    alone = [step for step in steps(made(hostname="on"), "red01") if isinstance(step, Line)]
    assert [line.line for line in alone] == ["127.0.1.1\tred01"]


def test_cloud_init_is_told_to_leave_the_name_alone_where_it_is() -> None:
    found = {name: dataclasses.replace(one, paths=("/etc/cloud/cloud.cfg.d",)) for name, one in FACTS.items()}
    assert any(isinstance(step, File) for step in steps(made(found, hostname="on"), "red"))
    assert not any(isinstance(step, File) for step in steps(made(hostname="on"), "red"))


@pytest.mark.parametrize(
    ("options", "changes", "words"),
    [
        ({"radios": "off"}, {"paths": ()}, ("red01", "no config.txt", "radios")),
        ({"gpu_memory": "16"}, {"paths": ()}, ("red01", "no config.txt", "gpu_memory")),
        ({"cgroups": "on"}, {"paths": BOOT[:1]}, ("red01", "no cmdline.txt")),
        ({"radios": "off"}, {"interface": "wlan0"}, ("red01", "Wi-Fi (wlan0)", "cable")),
        ({"ntp": "10.1.1.254"}, {"packages": {"chrony": "4.3"}}, ("red01", "chrony", "apt-get remove")),
        ({"names": "on"}, {"address": ""}, ("red01", "no address")),
        ({"swap": "off"}, {"systemd": False}, ("red01", "systemd")),
    ],
)
def test_what_a_host_cannot_do_is_refused_by_its_name(
    options: dict[str, object], changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    with pytest.raises(PlanError) as caught:
        made({**FACTS, "red01": dataclasses.replace(FACTS["red01"], **changes)}, **options)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("name", ["10.1.1.1", "fe80::1", "1.example"])
def test_a_host_cannot_be_called_everything(name: str) -> None:
    cluster = Cluster(name="x", hosts=(Host(name=name),), manager=name)
    with pytest.raises(PlanError, match="no name that a host can have"):
        SERVICE.plan(cluster, services.configure(SERVICE, {"hostname": "on"}), {name: FACTS["red"]})


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("timezone", "Europe/Berlinn", ("timezone", "did you mean 'Europe/Berlin'")),
        ("timezone", "../../etc/shadow", ("no time zone", "timedatectl")),
        ("locale", "german", ("locale", "en_GB.UTF-8")),
        ("locale", "sr_RS@latin.UTF-8", ("no locale in UTF-8",)),
        ("keyboard", "Deutsch!", ("keyboard", "gb")),
        ("radios", "on", ("radios", "do not set it")),
        ("swap", "2G", ("swap", "only be switched off")),
        ("gpu_memory", "8", ("gpu_memory", "16")),
        ("packages", "vim;reboot", ("packages", "'vim;reboot'")),
        ("modules", "../x", ("modules", "'../x'")),
        ("ntp", "a b;c", ("ntp", "'b;c'")),
        ("reboot", "sometimes", ("reboot", "one by one")),
        ("user", "Root!", ("user",)),
        ("zone", "x", ("no such option",)),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(option: str, value: str, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        services.configure(SERVICE, {option: value})
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_lists_come_in_all_ways_that_people_write_them() -> None:
    for text in ("vim,tmux", "vim, tmux", "[vim, tmux]", ["vim", "tmux"]):
        assert getattr(services.configure(SERVICE, {"packages": text}), "packages") == ("vim", "tmux")  # noqa: B009


@pytest.mark.parametrize("service", ["docker", "spark"])
def test_and_so_they_do_for_other_services(service: str) -> None:
    for text in ("pi,ada", "pi, ada", "pi ada", "[pi, ada]", ["pi", "ada"]):
        assert getattr(services.configure(services.get(service), {"users": text}), "users") == ("pi", "ada")  # noqa: B009
    assert getattr(services.configure(services.get(service), {"users": ""}), "users") == ()  # noqa: B009
    with pytest.raises(UsageError, match="not a list"):
        services.configure(services.get(service), {"users": "[pi"})


def test_off_is_off_however_yaml_reads_it() -> None:
    for value in ("off", False, "false"):
        assert any(isinstance(step, FirmwareSetting) for step in steps(made(radios=value), "red"))
    assert any(isinstance(step, KernelArgument) for step in steps(made(cgroups=True), "red"))


# Files of the user's own

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHt6wUMSc1ZMCEFS2v7c5ey0xHzGaAZ8kwXLGpkmWhGP pi@red"


def test_keys_are_taken_from_files_as_people_have_them() -> None:
    content = f'# mine\n{KEY}\n\nfrom="10.1.1.*" {KEY}\n'.encode()
    assert access.read_keys(content) == (f'{KEY}\nfrom="10.1.1.*" {KEY}\n'.encode(), "2 keys")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "private key"),
        (KEY[:40].encode(), "line 1"),
        (f"{KEY}\nhello there\n".encode(), "line 2"),
    ],
)
def test_what_is_no_public_key_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        access.read_keys(content)


def test_a_password_is_the_first_line_and_never_told() -> None:
    value, told = access.read_password(b"hunter2\n")
    assert value == b"hunter2" and "hunter2" not in told
    assert access.read_password(b"$6$salt$hash\n")[1] == "a hash"
    for wrong in (b"", b"\nhunter2", b"$hunter2", b"\xff\xfe"):
        with pytest.raises(ValueError) as caught:
            access.read_password(wrong)
        assert "hunter2" not in str(caught.value)


def test_the_zone_of_this_machine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "zoneinfo" / "Europe").mkdir(parents=True)
    (tmp_path / "zoneinfo" / "Europe" / "Berlin").touch()
    link = tmp_path / "localtime"
    link.symlink_to(tmp_path / "zoneinfo" / "Europe" / "Berlin")
    assert own_timezone(link) == "Europe/Berlin"
    with pytest.raises(UsageError, match="does not say"):
        own_timezone(tmp_path / "nothing")
