#!/bin/bash
# A Kubernetes cluster by hand: what `bramble deploy kubernetes` is measured against.
#
#     bench/kubernetes.sh SSH_CONFIG FOLDER MANAGER WORKER...
#
# With nothing but ssh, apt, kubeadm and kubectl, on all hosts at once. FOLDER has HOST.tar for each: programs, kubeadm's
# configuration, the authorities' keys, kubelet's unit, and all images in one archive, so that no host fetches anything
# but packages. Ends when every pod of the system is ready, and prints the seconds of each part. It checks and remembers
# nothing, and puts nothing back.
set -euo pipefail

config=$1 folder=$2 manager=$3
hosts=("${@:3}")
. "$(dirname "$0")/parallel.sh"

packages() {
    on "$1" sudo sh -ec "'
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q -y --no-install-recommends install containerd containernetworking-plugins conntrack ethtool iptables nftables </dev/null
        modprobe --all overlay br_netfilter 2>/dev/null || true
        sysctl -q -w net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1'"
}

files() {
    on "$1" sudo tar --extract --absolute-names --no-same-owner <"$folder/$1.tar"
    on "$1" sudo sh -ec "'
        systemctl restart containerd
        ctr --namespace k8s.io images import /var/tmp/images.tar >/dev/null
        rm /var/tmp/images.tar
        systemctl daemon-reload
        systemctl enable --quiet kubelet'"
}

node() { # PHASE HOST
    on "$2" sudo kubeadm "$1" --config "/etc/kubernetes/bramble/$1.yaml" --ignore-preflight-errors=SystemVerification,Swap
}
init() { node init "$1" && on "$1" "sudo kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f /etc/kubernetes/bramble/flannel.yaml"; }
join() { node join "$1"; }

everywhere packages packages "${hosts[@]}"
lap packages
everywhere files files "${hosts[@]}"
lap files
everywhere init init "$manager"
lap init
everywhere join join "${hosts[@]:1}"
lap join
on "$manager" sudo sh -ec "'
    export KUBECONFIG=/etc/kubernetes/admin.conf
    kubectl taint node --all node-role.kubernetes.io/control-plane- >/dev/null 2>&1 || true
    until kubectl wait node --all --for=condition=Ready --timeout=300s >/dev/null 2>&1; do sleep 0.2; done
    for namespace in kube-flannel kube-system; do
        kubectl --namespace \$namespace wait pod --all --for=condition=Ready --timeout=300s >/dev/null
    done'"
lap pods
printf '%-12s %6.2f s\n' whole "$(bc <<<"$EPOCHREALTIME - $began")"
