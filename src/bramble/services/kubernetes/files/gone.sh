# Whether the cluster knows no node $1.
. ./kubectl.sh
nodes=$(kubectl get nodes --output name) || exit 1
! echo "$nodes" | grep -qx "node/$1"
