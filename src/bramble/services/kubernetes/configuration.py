"""The texts that Kubernetes reads: kubeadm's, kubelet's and flannel's configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files as resources
from string import Template

from ...model import Cluster
from ...runner.facts import Facts
from ...runner.secret import Secret
from ...runner.step import Step
from ...runner.steps import File
from . import planes, programs
from .config import Config

#: bramble's own folder on each host of a cluster.
HOME = "/etc/kubernetes/bramble"

#: A token by which hosts may join: two words, of which the first is public (Kubernetes' form of it).
TOKEN_ID, TOKEN_SECRET = (
    Secret("kubernetes/token.id", size=3, form="hex"),
    Secret("kubernetes/token", size=8, form="hex"),
)

#: Encrypts what the cluster keeps under the name of a secret.
AT_REST = Secret("kubernetes/at-rest", size=32, form="base64")

#: All hosts believe what this authority signed; it is made on the controller, so that nobody waits for it.
CA = Secret("kubernetes/ca.crt", form="ca-certificate")
CA_KEY = Secret("kubernetes/ca.key", form="ca-key")


def text(name: str) -> str:
    """A file of this room as it is."""
    return (resources(__package__) / "files" / name).read_text(encoding="utf-8")


def node_name(host: str) -> str:
    """What Kubernetes calls a host: it takes small letters, digits, dots and hyphens."""
    return host.lower().replace("_", "-")


def files(cluster: Cluster, config: Config, facts: Mapping[str, Facts], host: str) -> tuple[Step, ...]:
    """The files of one host."""
    own: list[Step] = []
    if host == cluster.manager:
        own += [
            File(path=f"{HOME}/init.yaml", content=init(cluster, config, facts), mode=0o600),
            File(path=f"{HOME}/token.yaml", content=_with_token("token.yaml"), mode=0o600),
        ]
    else:
        place = _place(cluster, config, facts)
        own += [
            File(path=f"{HOME}/ca.crt", content=CA),
            File(path=f"{HOME}/join.yaml", content=_join(cluster, config, facts, host), mode=0o600),
            File(path=f"{HOME}/discovery.conf", content=_filled("discovery.conf", **place)),
        ]
    if host in planes.planes(cluster, config):
        own.append(File(path=f"{HOME}/encryption.yaml", content=_encryption(), mode=0o600))
    return (
        *own,
        File(path="/etc/systemd/system/kubelet.service", content=_filled("kubelet.service", folder=programs.FOLDER)),
        File(
            path="/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
            content=_filled("10-kubeadm.conf", folder=programs.FOLDER),
        ),
    )


def flannel(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> str:
    """The manifest of the network of pods."""
    host, port = planes.endpoint(cluster, config, facts)
    backend = {"Type": "vxlan"} if config.network == "vxlan" else {"Type": "host-gw"}
    net_conf = {"Network": config.pod_network, "EnableNFTables": True, "Backend": backend}
    return _filled(
        "flannel.yaml",
        net_conf=json.dumps(net_conf),
        flanneld=programs.image_name("flanneld", config.version),
        conflist=programs.image_name("conflist", config.version),
        host=host,
        port=str(port),
    )


def _place(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> dict[str, str]:
    address, port = planes.endpoint(cluster, config, facts)
    return {"server": f"{planes.bracketed(address)}:{port}", "home": HOME}


def init(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> tuple[str | Secret, ...]:
    """What kubeadm is told of the control plane."""
    manager = facts[cluster.manager]
    hosts = [cluster.host(name) for name in planes.planes(cluster, config)]
    known = ((host.name, node_name(host.name), host.address, facts[host.name].address) for host in hosts)
    names = dict.fromkeys(name for names in known for name in names if name)
    return _with_token(
        "init.yaml",
        **_place(cluster, config, facts),
        name=node_name(cluster.manager),
        address=manager.address,
        cluster=cluster.name,
        version=config.version,
        repository=programs.REPOSITORY,
        etcd=programs.ETCD,
        coredns=f"v{programs.COREDNS}",
        pod_network=config.pod_network,
        service_network=config.service_network,
        names=json.dumps(list(names)),
        taints=taints(cluster, config, cluster.manager),
    )


def _join(cluster: Cluster, config: Config, facts: Mapping[str, Facts], host: str) -> tuple[str | Secret, ...]:
    name, address = node_name(host), facts[host].address
    joined = _with_token("join.yaml", home=HOME, name=name, address=address, taints=taints(cluster, config, host))
    if host not in planes.planes(cluster, config):
        return joined
    return (*joined, _filled("join-plane.yaml", address=address))


def taints(cluster: Cluster, config: Config, host: str) -> str:
    """What keeps pods of everybody off a host from its first moment on, as YAML."""
    works = host not in planes.planes(cluster, config) or config.works(len(cluster.hosts))
    return "[]" if works else "[{key: node-role.kubernetes.io/control-plane, effect: NoSchedule}]"


def _encryption() -> tuple[str | Secret, ...]:
    before, after = text("encryption.yaml").split("@KEY@")
    return (before, AT_REST, after)


def _with_token(template: str, /, **values: str) -> tuple[str | Secret, ...]:
    """A template in which the token stands, perhaps in two parts."""
    parts: list[str | Secret] = [_filled(template, **values)]
    for mark, secret in (("@ID@", TOKEN_ID), ("@SECRET@", TOKEN_SECRET)):
        split: list[str | Secret] = []
        for part in parts:
            if isinstance(part, Secret):
                split.append(part)
                continue
            for number, piece in enumerate(part.split(mark)):
                split += [secret, piece] if number else [piece]
        parts = split
    return tuple(part for part in parts if part)


def _filled(template: str, /, **values: str) -> str:
    return Template(text(template)).substitute(values)
