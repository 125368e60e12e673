# Move what runs on node $1 to others within $2 seconds, for an upgrade. A node that somebody cordoned stays so after it.
# Unlike before a node leaves for good, pods that nothing would start anew are not ended.
kubectl="/usr/local/bin/kubectl --cache-dir /etc/kubernetes/bramble/cache --kubeconfig /etc/kubernetes/admin.conf"
cordoned=$($kubectl get node "$1" --output 'jsonpath={.spec.unschedulable}') || exit 1
if [ "$cordoned" != true ]; then
    $kubectl annotate node "$1" --overwrite bramble.invalid/upgrading=true || exit 1
    $kubectl cordon "$1" || exit 1
fi
said=$($kubectl drain "$1" --ignore-daemonsets --delete-emptydir-data --timeout "${2}s" 2>&1) && exit 0
echo "$said"
if [ "$cordoned" != true ]; then
    $kubectl uncordon "$1" && $kubectl annotate node "$1" bramble.invalid/upgrading-
fi
case $said in
*"declare no controller"*)
    echo "pods on $1 would be lost, since nothing starts them anew elsewhere: $(echo "$said" | sed -n 's/.*declare no controller[^:]*: *//p' | head -n 1); delete them, or start them by a Deployment" >&2 ;;
*) echo "pods on $1 did not move away within $2 s; those that may not stop now are named above, with their budgets" >&2 ;;
esac
exit 1
