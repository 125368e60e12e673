# Whether the cluster knows no node $1.
nodes=$(/usr/local/bin/kubectl --cache-dir /etc/kubernetes/bramble/cache --kubeconfig /etc/kubernetes/admin.conf get nodes --output name) || exit 1
! echo "$nodes" | grep -qx "node/$1"
