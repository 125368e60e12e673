# Whether all these nodes are ready, and all pods of the system; says which is not.
kubectl="/usr/local/bin/kubectl --cache-dir /etc/kubernetes/bramble/cache --kubeconfig /etc/kubernetes/admin.conf"
nodes=$($kubectl get nodes --no-headers 2>&1) || { echo "$nodes"; exit 1; }
for node in "$@"; do
    echo "$nodes" | grep -q "^$node  *Ready" || { echo "the node $node is not ready"; exit 1; }
done
waits=$($kubectl get pods --all-namespaces --no-headers 2>&1 | awk '
    $1 ~ /^kube-/ { split($3, n, "/"); if ($4 != "Running" || n[1] != n[2]) { print $2 " (" $4 ")"; exit } }')
[ -z "$waits" ] || { echo "the pod $waits is not ready"; exit 1; }
