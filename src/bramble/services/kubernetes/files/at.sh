# Whether nothing needs to move away from node $1: its kubelet is of version $2 already, or all has moved.
. ./kubectl.sh
found=$(kubectl get node "$1" \
    --output 'jsonpath={.status.nodeInfo.kubeletVersion} {.metadata.annotations.bramble\.invalid/upgrading}') || exit 1
case $found in
"v$2 "* | *" moved"*) exit 0 ;;
*) exit 1 ;;
esac
