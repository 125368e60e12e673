# Lose this node for a while: its kubelet says nothing any more, and the pods of the proof on it are gone. "back" (as $0)
# ends that. Should nobody come to say so, the node comes back by itself after $1 seconds.
guard=bramble-node-comes-back
if [ "$0" = back ]; then
    systemctl start kubelet || exit 1
    systemctl stop "$guard.timer" 2>/dev/null
    echo back
    exit 0
fi
systemctl stop "$guard.timer" 2>/dev/null
systemctl reset-failed "$guard.service" 2>/dev/null
systemd-run --quiet --collect --unit "$guard" --on-active "$1" systemctl start kubelet || exit 1
systemctl stop kubelet || exit 1
for task in $(ctr --namespace k8s.io containers list --quiet 'labels."io.kubernetes.pod.namespace"==bramble-loss'); do
    ctr --namespace k8s.io tasks kill --signal SIGKILL "$task" 2>/dev/null
done
echo lost
