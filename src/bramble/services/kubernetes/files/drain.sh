# Take the node $1 out of the cluster, within $2 seconds; one that does not answer is only forgotten.
. ./kubectl.sh
kubectl cordon "$1" || exit 1
if kubectl get node "$1" --no-headers | grep -q "^$1  *Ready"; then
    kubectl drain "$1" --ignore-daemonsets --delete-emptydir-data --force --timeout "${2}s" 2>&1 || {
        kubectl uncordon "$1"
        echo "pods on $1 did not move away within $2 s; those that may not stop now are named above, with their budgets" >&2
        exit 1
    }
fi
pki=/etc/kubernetes/pki/etcd
etcdctl="/usr/local/bin/etcdctl --endpoints=https://127.0.0.1:2379 --cacert=$pki/ca.crt --cert=$pki/healthcheck-client.crt --key=$pki/healthcheck-client.key"
member=$($etcdctl member list | awk -F ', ' -v name="$1" '$3 == name {print $1}') || exit 1
if [ -n "$member" ]; then $etcdctl member remove "$member" || exit 1; fi
kubectl delete node "$1"
