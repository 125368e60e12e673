# What the API server on this host says of itself and of its etcd.
. ./kubectl.sh
server=$(sed -n 's/^ *- --advertise-address=//p' /etc/kubernetes/manifests/kube-apiserver.yaml)
case $server in *:*) server="[$server]" ;; esac
kubectl --server "https://$server:6443" --request-timeout 15s get --raw /readyz
