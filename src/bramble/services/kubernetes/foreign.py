"""What is on a host already and would not go together with Kubernetes: clusters of others, and ports that are taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...errors import PlanError
from ...runner.facts import Facts
from .configuration import HOME
from .planes import PORT

#: What a deployment leaves on a host when it begins there, and when the host is a node.
BEGUN, NODE = HOME, (f"{HOME}/init.done", f"{HOME}/join.done")

#: Signs of a Kubernetes that somebody else set up → how it is taken away.
_KUBEADM, _PACKAGE = "sudo kubeadm reset", "sudo apt-get remove kubelet"
_K3S, _RKE2 = "sudo k3s-uninstall.sh (on workers k3s-agent-uninstall.sh)", "sudo rke2-uninstall.sh"
_K0S, _MICROK8S = "sudo k0s stop; sudo k0s reset", "sudo snap remove microk8s"
SIGNS = {
    "/etc/kubernetes/admin.conf": _KUBEADM,
    "/etc/kubernetes/kubelet.conf": _KUBEADM,
    "/etc/systemd/system/k3s.service": _K3S,
    "/etc/systemd/system/k3s-agent.service": _K3S,
    "/var/lib/rancher/k3s": _K3S,
    "/var/lib/rancher/rke2": _RKE2,
    "/etc/systemd/system/k0scontroller.service": _K0S,
    "/etc/systemd/system/k0sworker.service": _K0S,
    "/var/lib/k0s": _K0S,
    "/var/snap/microk8s": _MICROK8S,
    "/var/lib/kubelet/config.yaml": _KUBEADM,
    "/etc/systemd/system/kubelet.service": "sudo systemctl disable --now kubelet; then move the file away",
    "/lib/systemd/system/kubelet.service": _PACKAGE,
}

#: TCP port → the program of Kubernetes that listens there: on every host, on those of the control plane, and on all
#: where there are several of these.
_EVERYWHERE = {10250: "kubelet", 10248: "kubelet", 10249: "kube-proxy", 10256: "kube-proxy"}
_CONTROL = {
    6443: "kube-apiserver",
    2379: "etcd",
    2380: "etcd",
    2381: "etcd",
    10257: "kube-controller-manager",
    10259: "kube-scheduler",
}
_WAY = {PORT: "haproxy"}

#: What plans want to know of hosts for this.
PORTS, PATHS = (*_CONTROL, *_EVERYWHERE, *_WAY), (BEGUN, *NODE, *SIGNS)

#: Characters of a program's name that the kernel keeps.
_NAME = 15


def is_node(facts: Facts) -> bool:
    """Whether bramble made this host a node already: what is there is Kubernetes' own."""
    return any(path in facts.paths for path in NODE)


def check(facts: Mapping[str, Facts], control: Iterable[str], *, several: bool) -> None:
    """Refuse hosts that have another Kubernetes, or somebody at one of its ports.

    Parameters
    ----------
    facts
        Of all hosts that are to have it.
    control, several
        The hosts of the control plane, and whether there is more than one.

    Raises
    ------
    PlanError
    """
    found = {
        host: next(sign for sign in SIGNS if sign in known.paths)
        for host, known in facts.items()
        if BEGUN not in known.paths and any(sign in known.paths for sign in SIGNS)
    }
    if found:
        away = "; ".join(dict.fromkeys(SIGNS[sign] for sign in found.values()))
        named = ", ".join(f"{host} ({sign})" for host, sign in found.items())
        raise PlanError(
            f"{named}: there is a Kubernetes already, which bramble did not make, and nothing of it was touched",
            hint=f"choose other hosts; or, if nobody needs it: {away}",
        )
    planes = set(control)
    for host, known in facts.items():
        ports = _EVERYWHERE | (_CONTROL if host in planes else {}) | (_WAY if several else {})
        if not is_node(known):
            _check_ports(host, known, ports)


def _check_ports(host: str, facts: Facts, ports: Mapping[int, str]) -> None:
    taken = {int(port): who for port, who in facts.ports.items() if int(port) in ports}
    if BEGUN in facts.paths:
        # Cut half-way before: these are its own programs, which are begun anew.
        taken = {port: who for port, who in taken.items() if who.partition(" ")[0] != ports[port][:_NAME]}
    if not taken:
        return
    port, who = next(iter(taken.items()))
    unit = who.rpartition(", ")[2].rstrip(")") if ".service" in who else ""
    raise PlanError(
        f"{host}: Kubernetes needs the TCP port {port}, which is taken by {who}"
        + "".join(f", and {port}: {who}" for port, who in list(taken.items())[1:]),
        hint=f"ssh {host} sudo systemctl disable --now {unit}" if unit else f"ssh {host} sudo ss -ltnp",
    )
