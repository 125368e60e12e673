# Whether the cluster calls this host's own node, $1, ready.
identity=/etc/kubernetes/kubelet.conf
. ./kubectl.sh
said=$(kubectl get node "$1" --no-headers 2>&1) ||
    { echo "$said"; exit 1; }
echo "$said" | grep -q "^$1  *Ready" || { echo "$said"; exit 1; }
