"""The programs of Kubernetes: their versions, how they are built, and the images that are made of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ...artifact import Artifact, Download, GoProgram
from ...runner.steps import Image
from .. import LIBRARY
from . import released

#: Versions of Kubernetes that can be had, oldest first. The last is the stable minor before the latest: the last one
#: that works with the containerd of Debian 12 and 13 (containerd 1.x:
#: https://kubernetes.io/blog/2025/09/12/kubernetes-v1-34-cri-cgroup-driver-lookup-now-ga/).
VERSIONS = ("1.34.4", "1.35.4")

#: These go with each of them.
ETCD, COREDNS, FLANNEL = "3.6.16", "1.13.1", "0.28.4"
STORAGE, METRICS = "0.0.30", "0.9.0"

#: Version of bramble's own small programs; the number that kubeadm expects of its pause image.
PODS = "3.10.1"

#: No registry has images of this name, so none is ever asked for one, and nobody takes them for upstream's.
REPOSITORY = "bramble.invalid"

#: Where links to the programs that a node needs outside containers lie.
FOLDER = "/usr/local/bin"

#: Where Kubernetes keeps what `version` prints.
_VERSION_OF = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


@dataclass(frozen=True)
class _Program:
    """A program: name, the module that pins it, its import path there, its version, and whether C code is in it."""

    name: str
    module: str
    package: str
    version: str
    with_c: bool = False


#: Kubernetes' own programs.
_OWN = ("kubeadm", "kubelet", "kubectl", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")

_OTHERS = (
    _Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", ETCD),
    _Program("etcdctl", "etcd", "go.etcd.io/etcd/etcdctl/v3", ETCD),
    _Program("etcdutl", "etcd", "go.etcd.io/etcd/etcdutl/v3", ETCD),
    _Program("coredns", "coredns", "bramble.invalid/coredns", COREDNS),
    _Program("flanneld", "flannel", "github.com/flannel-io/flannel", FLANNEL, with_c=True),
    *(_Program(name, "pods", f"bramble.invalid/pods/{name}", PODS) for name in ("pause", "prove", "conflist")),
)

#: Additions that are only there where they are wanted → their programs, each in an image of its own on every host.
_ADDED = {
    "storage": (
        _Program("local-path-provisioner", "storage", "github.com/rancher/local-path-provisioner", STORAGE),
        _Program("volume", "pods", "bramble.invalid/pods/volume", PODS),
    ),
    "metrics": (_Program("metrics-server", "metrics", "sigs.k8s.io/metrics-server/cmd/metrics-server", METRICS),),
}

#: Programs that run outside containers: on every host, and those that a control plane needs for its backups.
ON_EVERY_HOST, ON_MANAGER = ("kubeadm", "kubelet", "kubectl"), ("etcdctl", "etcdutl")

#: Image of a program → programs of the host's that the one in it calls.
_CALLED = {
    "kube-apiserver": (),
    "kube-controller-manager": (),
    "kube-scheduler": (),
    "kube-proxy": ("nft",),
    "etcd": (),
    "coredns": (),
    # It looks for what an earlier one may have left in iptables.
    "flanneld": ("nft", *(f"{kind}tables{end}" for kind in ("ip", "ip6") for end in ("", "-save", "-restore"))),
    "pause": (),
    "prove": (),
    "conflist": (),
}

#: What nft goes by to write ``tcp`` for 6. kube-proxy looks for the word in what nft lists, and would take away all
#: services when it is started anew.
_PROTOCOLS = {
    "/etc/nsswitch.conf": "protocols: files\n",
    "/etc/protocols": "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\nsctp 132 SCTP\n",
}

#: Images of the control plane; the others are on every host, since pods of CoreDNS may be anywhere.
_OF_MANAGER = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")


def minor(version: str) -> tuple[int, int]:
    """``1.35.4`` → (1, 35): an upgrade may not leave one out."""
    major, second, _ = version.split(".")
    return int(major), int(second)


def home(version: str) -> str:
    """Where the programs of one version lie on a host, so that two can be there while one takes over."""
    return f"{LIBRARY}/kubernetes-{version}"


def image_name(name: str, version: str) -> str:
    """The full name of an image, with its tag, as it goes with a version of Kubernetes."""
    number = next(program.version for program in _programs(version, tuple(_ADDED)) if program.name == name)
    return f"{REPOSITORY}/{name}:{number if name == 'etcd' or number == PODS else f'v{number}'}"


def images(architecture: str, version: str, *, manages: bool, added: Iterable[str] = ()) -> tuple[Image, ...]:
    """The images that a host needs, with those of additions."""
    called_by = _CALLED | {program.name: () for name in added for program in _ADDED[name]}
    return tuple(
        Image(
            artifact=f"kubernetes/{name}:{architecture}",
            name=image_name(name, version),
            program=name,
            host_programs=called,
            files=_PROTOCOLS if "nft" in called else {},
        )
        for name, called in called_by.items()
        if manages or name not in _OF_MANAGER
    )


def artifacts(
    architectures: Iterable[str], version: str, *, release: bool = False, added: Iterable[str] = ()
) -> tuple[Artifact, ...]:
    """All programs, with those of additions, for each of these architectures.

    With ``release`` from upstream's release files, as far as these have hashes.
    """
    return tuple(
        Artifact(
            name=f"kubernetes/{program.name}",
            version=program.version,
            architecture=architecture,
            source=(_released(program, architecture) if release else None) or _built(program, architecture),
        )
        for architecture in dict.fromkeys(architectures)
        for program in _programs(version, added)
    )


def _programs(version: str, added: Iterable[str] = ()) -> tuple[_Program, ...]:
    module = "kubernetes-{}.{}".format(*minor(version))
    own = (_Program(name, module, f"k8s.io/kubernetes/cmd/{name}", version) for name in _OWN)
    return (*own, *_OTHERS, *(program for name in added for program in _ADDED[name]))


def _released(program: _Program, architecture: str) -> Download | None:
    """The rest is built all the same: flannel's makers publish no hashes, and bramble's own programs no one else."""
    if program.name in _OWN:
        return released.kubernetes(program.name, program.version, architecture)
    if program.module == "etcd":
        return released.etcd(program.name, program.version, architecture)
    if program.module == "coredns":
        return released.coredns(program.version, architecture)
    return None


def _built(program: _Program, architecture: str) -> GoProgram:
    variables: tuple[tuple[str, str], ...] = ()
    if program.name in _OWN:
        major, second = map(str, minor(program.version))
        values = {"gitVersion": f"v{program.version}", "gitMajor": major, "gitMinor": second, "gitTreeState": "clean"}
        values["buildDate"] = "1970-01-01T00:00:00Z"
        variables = tuple((f"{place}.{name}", value) for place in _VERSION_OF for name, value in values.items())
    if program.module == "flannel":
        variables = (("github.com/flannel-io/flannel/pkg/version.Version", f"v{FLANNEL}"),)
    return GoProgram(
        files=_module(program.module),
        package=program.package,
        variables=variables,
        # One of flannel's ways to carry packets is written in C, for this architecture alone.
        static_c=program.with_c and architecture == "amd64",
    )


@cache
def _module(name: str) -> tuple[tuple[str, str], ...]:
    folder = files(__package__) / "go" / name
    found = [item for item in folder.iterdir() if item.is_file()]
    programs = [(f"{item.name}/main.go", (item / "main.go")) for item in folder.iterdir() if item.is_dir()]
    every = [*((item.name, item) for item in found), *programs]
    return tuple(sorted((path, item.read_text(encoding="utf-8")) for path, item in every))
