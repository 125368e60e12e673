# Whether the kubelet of node $1 is of version $2 already, so that nothing needs to move away for it.
[ "$(/usr/local/bin/kubectl --cache-dir /etc/kubernetes/bramble/cache --kubeconfig /etc/kubernetes/admin.conf get node "$1" \
    --output 'jsonpath={.status.nodeInfo.kubeletVersion}')" = "v$2" ]
