"""What is to be done on each host to bring Kubernetes up."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ... import artifact
from ...model import Cluster
from ...plan import Plan, group
from ...runner.facts import Facts
from ...runner.secret import Secret
from ...runner.step import Step
from ...runner.steps import Artifact, Command, Directory, File, Link, Package, Sysctl, Unit, Wait
from .. import LIBRARY
from . import addons, configuration, marks, planes, programs, pull, refusals, serving
from .config import Config
from .configuration import CA, CA_KEY, HOME, text
from .scripts import shell

MODULES = "/etc/modules-load.d/bramble-kubernetes.conf"
UNIT, DROP_IN = "/etc/systemd/system/kubelet.service", "/etc/systemd/system/kubelet.service.d"

#: kubeadm and kubelet call these.
PACKAGES = ("conntrack", "ethtool", "iptables", "nftables")

#: What kubectl needs to be believed on the manager.
ADMIN = "/etc/kubernetes/admin.conf"

#: Secrets of the control plane, by their place below /etc/kubernetes/pki.
_PKI = {
    "ca.crt": CA,
    "ca.key": CA_KEY,
    "front-proxy-ca.crt": Secret("kubernetes/front-proxy-ca.crt", form="ca-certificate"),
    "front-proxy-ca.key": Secret("kubernetes/front-proxy-ca.key", form="ca-key"),
    "etcd/ca.crt": Secret("kubernetes/etcd-ca.crt", form="ca-certificate"),
    "etcd/ca.key": Secret("kubernetes/etcd-ca.key", form="ca-key"),
    "sa.key": Secret("kubernetes/sa.key", form="rsa-key"),
    "sa.pub": Secret("kubernetes/sa.pub", form="rsa-public"),
}


def artifacts(config: Config, architectures: Iterable[str]) -> tuple[artifact.Artifact, ...]:
    """All programs that are brought to hosts."""
    release = config.programs == "released"
    return programs.artifacts(architectures, config.version, release=release, added=config.added)


def plan(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> Plan:
    """Kubernetes on all hosts of a cluster: the control plane on the manager, the others as workers.

    Raises
    ------
    PlanError
        Hosts that cannot have Kubernetes, or not together; the message names them.
    """
    notes = refusals.check(cluster, config, facts)
    labels, told = marks.groups(cluster, config.taints)
    everyone, manager = cluster.hostset, [cluster.manager]
    control = planes.planes(cluster, config)
    workers = [host for host in cluster.workers if host not in control]

    def brought(host: str) -> tuple[Step, ...]:
        names = programs.ON_EVERY_HOST + (programs.ON_MANAGER if host in control else ())
        return (*programs_of(cluster, config, facts, host), *(_link(name, config) for name in names))

    def files(host: str) -> tuple[Step, ...]:
        return (*configuration.files(cluster, config, facts, host), *serving.files(cluster, facts, host))

    def join(host: str) -> Step:
        return _kubeadm("join", f"{host} joins the cluster")

    def balancer(host: str) -> tuple[Step, ...]:
        return planes.balancer(cluster, config, facts) if planes.several(config) else ()

    nodes = " ".join(map(configuration.node_name, everyone))
    groups = (
        group("Kernel", everyone, *_kernel()),
        group("Packages", everyone, Package(names=PACKAGES, start=False)),
        group("Folders", everyone, *_folders()),
        group("Programs", everyone, brought),
        group("Configuration", everyone, files),
        group("Way to the API", everyone if planes.several(config) else (), balancer),
        group("Certificates", control, *_certificates()),
        group("Control plane", manager, _kubeadm("init", "make the control plane")),
        group("Network", manager, *_network(cluster, config, facts)),
        group("Token", manager, _token(nodes), after=["Control plane"]),
        # One after the other: each is taken in by those that are there.
        *(
            group(f"Control plane on {host}", [host], join, after=[earlier], requires=manager)
            for earlier, host in _in_turn(control)
        ),
        group("Workers", workers, join, after=["Token"], requires=manager),
        group("Kubelet", everyone, _kubelet),
        group("Nodes", manager, *_nodes(control, cluster, config), after=["Kubelet"]),
        *addons.groups(cluster, config),
        *labels,
        *pull.groups(cluster, config),
    )
    return Plan(
        service="kubernetes",
        groups=tuple(part for part in groups if part.steps),
        notes=(*notes, *told),
        artifacts=artifacts(config, [facts[host].architecture for host in everyone]),
    )


def _in_turn(control: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each host of the control plane but the first, and the group that it waits for."""
    for before, host in itertools.pairwise(control):
        yield "Token" if before == control[0] else f"Control plane on {before}", host


def programs_of(cluster: Cluster, config: Config, facts: Mapping[str, Facts], host: str) -> tuple[Step, ...]:
    """What a host needs of programs and images, in folders and under tags that are this version's alone."""
    manages = host in planes.planes(cluster, config)
    home, architecture = programs.home(config.version), facts[host].architecture
    return (
        Directory(path=LIBRARY),
        Directory(path=home),
        *(
            Artifact(artifact=f"kubernetes/{name}:{architecture}", path=f"{home}/{name}")
            for name in programs.ON_EVERY_HOST + (programs.ON_MANAGER if manages else ())
        ),
        *programs.images(architecture, config.version, manages=manages, added=config.added),
    )


def _link(name: str, config: Config) -> Link:
    return Link(path=f"{programs.FOLDER}/{name}", target=f"{programs.home(config.version)}/{name}")


def _kernel() -> tuple[Step, ...]:
    return (
        File(path=MODULES, content="overlay\nbr_netfilter\n"),
        Command(
            name="load the kernel modules overlay and br_netfilter",
            argv=("modprobe", "--all", "overlay", "br_netfilter"),
            unless=("sh", "-c", "test -d /proc/sys/net/bridge && grep -qw overlay /proc/filesystems"),
        ),
        Sysctl(key="net.ipv4.ip_forward", value="1"),
        Sysctl(key="net.bridge.bridge-nf-call-iptables", value="1"),
    )


def _folders() -> tuple[Step, ...]:
    """What Kubernetes writes there is no use without it."""
    return (
        Directory(path="/etc/kubernetes", scratch=True),
        Directory(path=HOME, mode=0o700, scratch=True),
        Directory(path="/var/lib/kubelet", mode=0o700, scratch=True),
        Directory(path=DROP_IN),
    )


def _certificates() -> tuple[Step, ...]:
    folders = (Directory(path="/etc/kubernetes/pki"), Directory(path="/etc/kubernetes/pki/etcd"))
    files = (
        File(path=f"/etc/kubernetes/pki/{name}", content=secret, mode=0o644 if name.endswith(("crt", "pub")) else 0o600)
        for name, secret in _PKI.items()
    )
    return (Directory(path="/var/lib/etcd", mode=0o700, scratch=True), *folders, *files)


def _kubeadm(phase: str, name: str) -> Command:
    """A node is begun anew where it was cut half-way: nothing of value is on it before it is through."""
    return Command(
        name=name,
        argv=shell("node.sh", "node", phase, HOME, text("reach.sh") if phase == "join" else ""),
        creates=f"{HOME}/{phase}.done",
        undo_argv=shell("reset.sh"),
        timeout=840,
    )


def _kubelet(host: str) -> tuple[Step, ...]:
    """A kubelet that falls is started anew by systemd without end, so only its own word tells that it stands.

    Each host waits for its own node, so that one that is not ready is told by its name, with its own log.
    """
    return (
        Unit(name="kubelet", restart_on=(UNIT, f"{DROP_IN}/10-kubeadm.conf")),
        Wait(http="http://127.0.0.1:10248/healthz", name="the kubelet to be well", unit="kubelet", deadline=120),
        Wait(
            command=shell("own.sh", "own", configuration.node_name(host)),
            name="its node to be ready",
            unit="kubelet",
            deadline=300,
        ),
    )


def _network(cluster: Cluster, config: Config, facts: Mapping[str, Facts]) -> tuple[Step, ...]:
    path = f"{HOME}/flannel.yaml"
    return (
        File(path=path, content=configuration.flannel(cluster, config, facts)),
        Command(
            name="the network of pods",
            argv=(
                f"{programs.FOLDER}/kubectl",
                f"--cache-dir={HOME}/cache",
                f"--kubeconfig={ADMIN}",
                "apply",
                "-f",
                path,
            ),
            when_changed=(path,),
        ),
    )


def _token(nodes: str) -> Command:
    """The one of the first start has run out when a host is added later."""
    return Command(
        name="a token for hosts that are to join",
        argv=shell("token.sh", "token", HOME),
        unless=shell("known.sh", "known", HOME, *nodes.split()),
    )


def _nodes(control: Sequence[str], cluster: Cluster, config: Config) -> tuple[Step, ...]:
    works = "yes" if config.works(len(cluster.hosts)) else "no"
    return (
        *(
            Command(
                name=f"who runs pods on {host}",
                argv=shell("taint.sh", "set", configuration.node_name(host), works),
                unless=shell("taint.sh", "check", configuration.node_name(host), works),
            )
            for host in control
        ),
        Wait(
            command=shell("ready.sh", "ready", configuration.node_name(cluster.manager)),
            name="the system's pods",
            unit="kubelet",
            deadline=300,
        ),
    )
