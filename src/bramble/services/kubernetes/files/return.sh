# Let pods run on node $1 again, if it was bramble that moved them away: do it, or ("check", as $0) look whether it is so.
kubectl="/usr/local/bin/kubectl --cache-dir /etc/kubernetes/bramble/cache --kubeconfig /etc/kubernetes/admin.conf"
moved=$($kubectl get node "$1" --output 'jsonpath={.metadata.annotations.bramble\.invalid/upgrading}') || exit 1
if [ "$0" = check ]; then
    [ -z "$moved" ]
    exit
fi
$kubectl uncordon "$1" && $kubectl annotate node "$1" bramble.invalid/upgrading-
