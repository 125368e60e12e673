# Whether the cluster knows node $2 with the addresses that its pods have ($1: check); do: see to it. A kubelet introduces
# its node when it starts, and only then.
identity=/etc/kubernetes/kubelet.conf
. ./kubectl.sh
node() { kubectl get node "$1" --output 'jsonpath={.spec.podCIDR}'; }
fits() { # what the bridge of pods has: 10.244.1.1/24 of 10.244.1.0/24
    bridge=$(ip -brief address show cni0 2>/dev/null | awk '{print $3}')
    [ -z "$bridge" ] || [ "${bridge%1/*}" = "${1%0/*}" ]
}
if [ "$1" = check ]; then
    network=$(node "$2" 2>/dev/null) && [ -n "$network" ] && fits "$network"
    exit
fi
systemctl restart kubelet
for _ in $(seq 60); do
    if network=$(node "$2" 2>&1) && [ -n "$network" ]; then
        fits "$network" || ip link delete cni0
        exit 0
    fi
    sleep 2
done
echo "the cluster does not know this node after 120 s: $network" >&2
exit 1
