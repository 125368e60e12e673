# kubectl as the control plane's administrator, or as who $identity names; it leaves nothing in anybody's home.
kubectl() {
    /usr/local/bin/kubectl --cache-dir /etc/kubernetes/bramble/cache --kubeconfig "${identity:-/etc/kubernetes/admin.conf}" "$@"
}
