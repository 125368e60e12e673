# Move what runs on node $1 to others within $2 seconds, for an upgrade. A node that somebody cordoned stays so after it.
# Unlike before a node leaves for good, pods that nothing would start anew are not ended.
. ./kubectl.sh
mark() { kubectl annotate node "$1" --overwrite "bramble.invalid/upgrading$2"; }
found=$(kubectl get node "$1" --output 'jsonpath={.spec.unschedulable} {.metadata.annotations.bramble\.invalid/upgrading}') || exit 1
case $found in
"true ") kind=-cordoned ;; # by somebody
*" moving-cordoned") kind=-cordoned ;;
*) kind= ;;
esac
mark "$1" "=moving$kind" && kubectl cordon "$1" || exit 1
if said=$(kubectl drain "$1" --ignore-daemonsets --delete-emptydir-data --timeout "${2}s" 2>&1); then
    mark "$1" "=moved$kind"
    exit
fi
echo "$said"
[ -n "$kind" ] || kubectl uncordon "$1"
mark "$1" -
case $said in
*"declare no controller"*)
    echo "pods on $1 would be lost, since nothing starts them anew elsewhere: $(echo "$said" | sed -n 's/.*declare no controller[^:]*: *//p' | head -n 1); delete them, or start them by a Deployment" >&2 ;;
*) echo "pods on $1 did not move away within $2 s; those that may not stop now are named above, with their budgets" >&2 ;;
esac
exit 1
