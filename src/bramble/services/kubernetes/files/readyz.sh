# What the API server on this host says of itself and of its etcd.
export KUBECONFIG=/etc/kubernetes/admin.conf
server=$(sed -n 's/^ *- --advertise-address=//p' /etc/kubernetes/manifests/kube-apiserver.yaml)
case $server in *:*) server="[$server]" ;; esac
exec /usr/local/bin/kubectl --cache-dir /etc/kubernetes/bramble/cache --server "https://$server:6443" --request-timeout 15s get --raw /readyz
