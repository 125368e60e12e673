# Bring the control plane on this host, node $4 at $5, to version $1 with the programs in $2. What the cluster knew before
# is kept in $3, and brought back where this fails.
version=$1 programs=$2 home=$3 node=$4 address=$5
export PATH=$programs:$PATH
kept=$home/before-$version
pki=/etc/kubernetes/pki/etcd
ready() { kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz >/dev/null 2>&1; }
wait_ready() {
    for _ in $(seq "$1"); do
        ready && return 0
        sleep 2
    done
    return 1
}
# One that was cut off keeps what was there before its first try.
if [ ! -e "$kept/complete" ]; then
    rm -rf "$kept" && mkdir -m 700 "$kept" || exit 1
    etcdctl --endpoints=https://127.0.0.1:2379 --cacert=$pki/ca.crt --cert=$pki/healthcheck-client.crt \
        --key=$pki/healthcheck-client.key snapshot save "$kept/etcd.db" >"$kept/log" 2>&1 || {
        tail -n 5 "$kept/log" >&2
        echo "no snapshot of etcd could be taken, so nothing was changed" >&2
        exit 1
    }
    cp -a /etc/kubernetes/manifests /etc/kubernetes/pki "$kept/" && cp -a /etc/kubernetes/*.conf "$kept/" || exit 1
    touch "$kept/complete"
fi
if said=$(kubeadm init phase upload-config kubeadm --config "$home/init.yaml" 2>&1 &&
    kubeadm upgrade apply "v$version" --yes --ignore-preflight-errors=SystemVerification,Swap 2>&1); then
    touch "$home/apply-$version.done"
    exit 0
fi
echo "$said"
why=$(echo "$said" | sed -n 's/^error: //p' | tail -n 1)
echo "the upgrade failed; what was there before comes back" >&2
cp -a "$kept/pki/." /etc/kubernetes/pki/
cp -a "$kept"/*.conf /etc/kubernetes/
cp -a "$kept/manifests/." /etc/kubernetes/manifests/
if ! wait_ready 60; then
    # One of several members cannot be set back alone: the others know better.
    if grep -q 'initial-cluster=.*,' /etc/kubernetes/manifests/etcd.yaml; then
        echo "this part of the control plane did not come back: journalctl -u kubelet; what was there is in $kept" >&2
        exit 1
    fi
    restore="sh $home/restore.sh"
    $restore prepare "$kept/etcd.db" "$node" "$address" "$node=https://$address:2380" "$programs" "$kept/prepared" &&
        $restore swap "$kept/etcd-after" "$kept/swapped" && wait_ready 60 || {
        echo "the control plane did not come back; all that it knew is in $kept, pki and etcd.db" >&2
        exit 1
    }
fi
rm -rf "$kept"
echo "the control plane is at the version before again; kubeadm said: $why" >&2
exit 1
