"""What is Docker's own, on real hosts: beside Kubernetes, and where it was before bramble came."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab.controller import Controller

from bramble import lab as labs
from bramble.lab.testing import Lab

#: Seconds for the first deployment of Kubernetes: on a new machine, its programs may have to be built.
BUILD = 1800

#: An image whose programs are the host's own, with `RUN`: no registry is asked for anything.
IMAGE = "cd / && find . -maxdepth 1 -type l | tar --create --files-from=- | docker import - app:1"
RUN = "docker run --volume /usr:/usr:ro"

SERVER = (
    "socket(S,2,1,0);setsockopt(S,1,2,1);bind(S,sockaddr_in(8080,INADDR_ANY));listen(S,9);while(accept(C,S)){close C}"
)
SERVE = f"perl -MSocket -e '{SERVER}'"

#: As somebody wrote it who had Docker already: not as bramble would.
DAEMON_JSON = '{"log-driver": "local",\n   "labels": ["mine=1"]}'


@pytest.fixture
def pis(make_lab: Callable[..., Lab]) -> Iterator[Lab]:
    yield make_lab("blue", 2, "bookworm", containers=True)
    labs.down("blue")


def reached(lab: Lab, host: str, address: str, port: int) -> bool:
    """Whether a host reaches a port; it is tried for a second."""
    ask = f"import socket; socket.create_connection(('{address}', {port}), timeout=1)"
    return "yes" in lab.shell(host, f'python3 -c "{ask}" 2>/dev/null && echo yes || echo no')


def running(lab: Lab, host: str) -> list[str]:
    """Names of the containers that run, once Docker answers."""
    return lab.shell(host, "docker ps --format '{{.Names}}'").split()


def settled(lab: Lab, host: str, names: list[str]) -> bool:
    """Whether these containers run, within a few seconds: Docker starts them one after the other."""
    for _ in range(50):
        if running(lab, host) == names:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
@pytest.mark.timeout(BUILD + 900)
def test_docker_lives_beside_kubernetes_and_where_it_was_before(pis: Lab, tmp_path: Path) -> None:
    controller = Controller.of(pis, tmp_path / "controller")
    red, other = pis.hosts

    def done(*words: str, timeout: float = 300) -> dict[str, object]:
        ended = controller.json(*words, timeout=timeout)
        failures = [host["failure"] for host in ended.report["hosts"] if host["failure"]]
        assert ended.status == 0, [(one["what"], one["why"], one["log"]) for one in failures]
        return ended.report

    def docker_and_kubernetes_work() -> None:
        done("verify", "docker")
        done("verify", "kubernetes")
        assert reached(pis, other, pis.address(red), 8080)

    # One host is new; the other has Docker, with a configuration, a container, an image and a volume of somebody's.
    pis.shell(other, "apt-get install -qq --no-install-recommends docker.io && mkdir -p /etc/docker")
    pis.shell(other, f"cat >/etc/docker/daemon.json <<'END'\n{DAEMON_JSON}\nEND\nsystemctl restart docker; {IMAGE}")
    pis.shell(other, f"{RUN} --detach --restart always --name old --volume mine:/mine app:1 sleep 100000")
    before = {host: pis.snapshot(host) for host in pis.hosts}

    # Both are one now, and what is there already goes on.
    done("deploy", "docker", "--set", "users=pi")
    assert done("deploy", "docker", "--set", "users=pi")["changed"] == 0
    assert settled(pis, other, ["old"])
    now = json.loads(pis.shell(other, "cat /etc/docker/daemon.json"))
    assert now["labels"] == ["mine=1"] and now["log-driver"] == "json-file"
    assert pis.ssh(red, "docker ps").returncode == 0, "pi is not in the group docker"

    # What a container publishes is reached from elsewhere, and what it does not publish is not.
    pis.shell(red, f"{IMAGE}; docker network create net")
    pis.shell(red, f"{RUN} --detach --restart always --network net --publish 8080:8080 --name web app:1 {SERVE}")
    inside = "docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "
    pis.shell(red, f"{RUN} --detach --restart always --network net --name hidden app:1 {SERVE}")
    hidden = pis.shell(red, inside + "hidden").strip()
    pis.shell(other, f"ip route add {hidden} via {pis.address(red)}")
    assert reached(pis, other, pis.address(red), 8080) and reached(pis, red, hidden, 8080)
    assert not reached(pis, other, hidden, 8080), "a port that is not published can be reached from another host"
    outside = f"perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(q({pis.address(other)}:22)) ? q(yes) : $@'"
    assert pis.shell(red, f"{RUN} --rm --network net app:1 {outside}") == "yes"

    # All of it outlives a power cut; then the firewall of the second host, too, is as pods need it.
    for host in pis.hosts:
        pis.kill(host)
        pis.start(host)
    assert settled(pis, other, ["old"]) and settled(pis, red, ["hidden", "web"])
    assert "-P FORWARD ACCEPT" in pis.shell(other, "iptables -S FORWARD")

    # Kubernetes comes after Docker; Docker goes; Docker comes after Kubernetes; Kubernetes goes.
    done("deploy", "kubernetes", timeout=BUILD)
    docker_and_kubernetes_work()
    pis.shell(red, f"{RUN} --rm --volume kept:/kept app:1 sh -c 'echo hello >/kept/word'")
    removed = controller.run("remove", "docker", "--yes", timeout=300)
    assert removed.status == 0, removed.said[-3000:]
    assert f"kept: {red}: /var/lib/docker/volumes holds data" in removed.stdout, removed.said[-3000:]
    done("verify", "kubernetes")
    assert pis.shell(red, "cat /var/lib/docker/volumes/kept/_data/word") == "hello\n"
    assert "docker" not in pis.shell(red, "iptables-save; ip -brief link; getent group").lower()
    assert settled(pis, other, ["old"]) and "app:1" in pis.shell(
        other, "docker images --format {{.Repository}}:{{.Tag}}"
    )
    assert pis.shell(other, "cat /etc/docker/daemon.json") == DAEMON_JSON + "\n"
    assert "DROP" not in pis.shell(other, "iptables -S FORWARD")
    done("deploy", "docker")
    assert "kept" in pis.shell(red, "docker volume ls --quiet"), "the volume of before is not found again"
    pis.shell(red, f"{IMAGE}; {RUN} --detach --publish 8080:8080 app:1 {SERVE}")
    docker_and_kubernetes_work()
    done("remove", "kubernetes", "--yes")
    done("verify", "docker")
    assert reached(pis, other, pis.address(red), 8080)

    # In the end both are as they were found, but for the volume that stayed, and what Docker itself keeps writing.
    done("remove", "docker", "--yes")
    own = ("/var/lib/docker", "/var/lib/containerd", "/run", "/var/lib/systemd")
    for host in pis.hosts:
        changed = labs.diff_snapshots(before[host], pis.snapshot(host))
        kinds = ("files", "packages", "units", "processes") if host == other else tuple(before[host])
        left = [
            line
            for line in changed
            if line.startswith(kinds) and not line.startswith(tuple(f"files: {p}" for p in own))
        ]
        assert left == [], host
    assert settled(pis, other, ["old"])
