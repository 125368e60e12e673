"""A service small enough that a test of what goes wrong takes seconds, offered as other distributions would offer one.

Each host runs a daemon that signs its name with a secret of the cluster; verification asks every host from every host.
It has a step of each kind that can be cut in two: a package, a user, directories, files (one that was there before), a
secret, a unit, a barrier, a wait, and a command that takes its time. The manager's has a diary, which backups keep.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from bramble.artifact import Artifact, Download
from bramble.model import Cluster
from bramble.plan import Plan, group
from bramble.runner import steps
from bramble.runner.backup import LAID
from bramble.runner.facts import Facts
from bramble.runner.secret import Secret
from bramble.runner.step import Step
from bramble.runner.steps import (
    Command,
    Directory,
    File,
    KernelArgument,
    Package,
    Probe,
    Reboot,
    Unit,
    User,
    Wait,
)
from bramble.services import Backup, Service


class Config(BaseModel):
    """Options of the beacon."""

    model_config = ConfigDict(frozen=True)

    port: int = Field(7070, ge=1024, le=65535, description="where the daemon listens")
    word: str = Field("hello", description="what it says beside its name")
    package: str = Field("", description="a package of the distribution that comes along")
    release: str = Field("", description="URL of a file that its makers publish, and that comes along")
    digest: str = Field("", description="the hash of that file")
    restart: str = Field("", description="a host that restarts before its daemon comes")
    pause: float = Field(0.0, ge=0, le=600, description="seconds that a step of its takes")


DAEMON = '''\
"""Answers each connection with this host's name, signed with the cluster's secret."""
import hashlib, hmac, json, socketserver

settings = json.load(open("/etc/beacon/settings.json"))
key = open("/etc/beacon/key", "rb").read()
line = "%s %s" % (settings["me"], settings["word"])


class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        mark = hmac.new(key, line.encode(), hashlib.sha256).hexdigest()
        self.request.sendall(("%s %s" % (line, mark)).encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("", settings["port"]), Answer).serve_forever()
'''

ASK = '''\
"""Asks the beacons of these names and prints those whose answer is signed right."""
import hashlib, hmac, json, socket, sys

settings = json.load(open("/etc/beacon/settings.json"))
key = open("/etc/beacon/key", "rb").read()
for name in sys.argv[1:]:
    try:
        with socket.create_connection((settings["peers"][name], settings["port"]), timeout=3) as peer:
            peer.settimeout(3)
            line, _, mark = peer.recv(1000).decode().rpartition(" ")
    except (OSError, KeyError):
        continue
    right = hmac.new(key, line.encode(), hashlib.sha256).hexdigest()
    if line.split()[:1] == [name] and hmac.compare_digest(mark, right):
        print(name)
'''

DIARY = "/var/lib/beacon/diary"

UNIT = """\
[Unit]
Description=A beacon
After=network.target

[Service]
ExecStart=/usr/bin/python3 /usr/local/lib/beacon/daemon.py
User=beacon
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""


#: What the restart is for.
ARGUMENT = KernelArgument(argument="bramble.beacon=1")


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """The manager's beacon first, then all others."""
    names = [host.name for host in cluster.hosts]
    peers = {name: facts[name].address for name in names}
    workers = [name for name in names if name != cluster.manager]
    packages: list[Step] = [Package(names=(config.package,))] if config.package else []

    def settings(host: str) -> File:
        content = {"me": host, "word": config.word, "port": config.port, "peers": peers}
        text = json.dumps(content, indent=2, sort_keys=True) + "\n"
        return File(path="/etc/beacon/settings.json", content=text)

    restart = Reboot(when=ARGUMENT.resources())
    running: list[Step] = [
        File(path="/etc/systemd/system/beacon.service", content=UNIT),
        Unit(name="beacon", restart_on=("/etc/beacon", "/usr/local/lib/beacon")),
        Wait(port=config.port, unit="beacon", deadline=30),
    ]
    return Plan(
        service="beacon",
        groups=(
            group("Kernel", [name for name in names if name == config.restart], ARGUMENT, restart),
            group(
                "Ground",
                names,
                *packages,
                Directory(path="/usr/local/lib/beacon"),
                lambda host: _released(config, facts[host].architecture),
                User(name="beacon", home="/var/lib/beacon"),
                Directory(path="/etc/beacon", mode=0o750, group="beacon"),
                Directory(path="/var/lib/beacon", owner="beacon", group="beacon", scratch=True),
                File(path="/etc/issue", content="A beacon stands here.\n"),
                File(path="/usr/local/lib/beacon/daemon.py", content=DAEMON),
                File(path="/usr/local/lib/beacon/ask.py", content=ASK),
                settings,
                File(path="/etc/beacon/key", content=Secret("beacon/key"), mode=0o440, group="beacon"),
            ),
            group("Settle", names, *_settle(config)),
            group("Manager", [cluster.manager], *running),
            group("Workers", workers, *running, after=["Manager"], requires=[cluster.manager]),
        ),
        artifacts=artifacts(config, [facts[name].architecture for name in names]),
    )


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[Artifact, ...]:
    """The file that comes along."""
    if not config.release:
        return ()
    source = Download(urls=(config.release,), digest=config.digest)
    names = dict.fromkeys(architectures)
    return tuple(Artifact(name="beacon/extra", version="1", architecture=name, source=source) for name in names)


def _released(config: Config, architecture: str) -> list[Step]:
    return [
        steps.Artifact(artifact=one.id, path="/usr/local/lib/beacon/extra") for one in artifacts(config, [architecture])
    ]


def _settle(config: Config) -> list[Step]:
    script = f"sleep {config.pause}; touch /var/lib/beacon/settled"
    settle = Command(
        argv=("sh", "-c", script),
        name="settle",
        creates="/var/lib/beacon/settled",
        undo_argv=("rm", "-f", "/var/lib/beacon/settled"),
    )
    return [settle]


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Every host hears every host."""
    names = tuple(host.name for host in cluster.hosts)
    probe = Probe(
        name="every beacon answers",
        argv=("python3", "/usr/local/lib/beacon/ask.py", *names),
        expect_lines=names,
        blame={name: f"{name} does not answer" for name in names},
        log_units=("beacon",),
        hint="look at it there: systemctl status beacon",
    )
    return Plan(service="beacon", groups=(group("Verify", names, probe),))


KEEP = f"if [ -e {DIARY} ]; then cp --preserve=timestamps {DIARY} $0; fi"
BRING = f"if [ -e {LAID}/diary ]; then install --owner=beacon --mode=640 {LAID}/diary {DIARY}; fi; rm -r {LAID}"


def restore(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """The diary goes back."""
    back = Command(name="the diary comes back", argv=("sh", "-c", BRING), unless=("test", "!", "-e", LAID))
    return Plan(service="beacon", groups=(group("Diary", [cluster.manager], back),))


def anew(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """As the deployment, and the diary goes back."""
    deployment = plan(cluster, config, facts)
    return replace(deployment, groups=(*deployment.groups, *restore(cluster, config, facts).groups))


SERVICE = Service(
    name="beacon",
    summary="A daemon that signs its host's name: for tests",
    config=Config,
    plan=plan,
    verify=verify,
    artifacts=artifacts,
    backup=Backup(
        take=("sh", "-c", KEEP),
        secrets=(Secret("beacon/key"),),
        onto=lambda cluster, config: (cluster.manager,),
        restore=restore,
        anew=anew,
    ),
)
