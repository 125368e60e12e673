"""One large file on every host, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from bramble.artifact import Artifact, Download
from bramble.model import Cluster
from bramble.plan import Plan, group
from bramble.runner import steps
from bramble.runner.facts import Facts
from bramble.runner.steps import Probe
from bramble.services import Service

PLACE = "/var/tmp/large"


class Config(BaseModel, frozen=True):
    """Where the file is, and its hash."""

    url: str = ""
    digest: str = ""


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[Artifact, ...]:
    """The file."""
    source = Download(urls=(config.url,), digest=config.digest)
    return (Artifact(name="large/file", version="1", architecture="all", source=source),)


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Bring it."""
    (file,) = artifacts(config, ())
    step = steps.Artifact(artifact=file.id, path=PLACE)
    return Plan(service="large", groups=(group("File", cluster.hostset, step),), artifacts=(file,))


def verify(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """One probe; the comparison is made without it."""
    probe = Probe(name="file", argv=("test", "-f", PLACE))
    return Plan(service="large", groups=(group("Probe", cluster.hostset, probe),))


SERVICE = Service(name="large", summary="A large file", config=Config, plan=plan, verify=verify, artifacts=artifacts)
