# This node, $4, takes version $1: the programs in the folder $2. One of the control plane ($3: apply) was prepared for it
# already, others (node) fetch their configuration first. Back to what was there where the kubelet does not come up.
version=$1 programs=$2 phase=$3 node=$4
places=/usr/local/bin
before=$(dirname "$(readlink $places/kubelet)")
kept=/etc/kubernetes/bramble/kubelet-before
link() {
    for program in kubeadm kubelet kubectl etcdctl etcdutl; do
        [ -e "$1/$program" ] || continue
        ln -sfn "$1/$program" "$places/.$program.new" && mv -fT "$places/.$program.new" "$places/$program"
    done
}
runs() {
    said=$("$programs/kubectl" --cache-dir /etc/kubernetes/bramble/cache --kubeconfig /etc/kubernetes/kubelet.conf get node "$node" --no-headers 2>&1)
    echo "$said" | grep -Eq "^$node +Ready[^ ]* .* v$1\$"
}
mkdir -p "$kept" && cp -a /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env "$kept/" || exit 1
if [ "$phase" = node ]; then
    "$programs/kubeadm" upgrade node --ignore-preflight-errors=SystemVerification,Swap || exit 1
fi
link "$programs"
systemctl restart kubelet
# A kubelet of another version starts the servers of a control plane anew some seconds later, and these believe nobody for
# a moment: so such a node must be well for a while.
wanted=1 seen=0
[ ! -e /etc/kubernetes/manifests/kube-apiserver.yaml ] || wanted=15
for _ in $(seq 120); do
    if runs "$version"; then seen=$((seen + 1)); else seen=0; fi
    if [ "$seen" -ge "$wanted" ]; then
        rm -rf "$kept"
        exit 0
    fi
    sleep 1.5
done
journalctl -u kubelet --no-pager -n 8 -o cat
link "$before"
cp -a "$kept/." /var/lib/kubelet/ && rm -rf "$kept"
systemctl restart kubelet
echo "the kubelet was not ready in version $version within 180 s, so the node went back to the one before; last seen: $said" >&2
exit 1
