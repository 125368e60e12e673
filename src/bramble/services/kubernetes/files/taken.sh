# Whether this node, $3, runs version $1 from the folder $2, and is ready.
[ "$(readlink /usr/local/bin/kubelet)" = "$2/kubelet" ] || exit 1
identity=/etc/kubernetes/kubelet.conf
. ./kubectl.sh
said=$(kubectl get node "$3" --no-headers 2>/dev/null) || exit 1
echo "$said" | grep -Eq "^$3 +Ready[^ ]* .* v$1\$"
