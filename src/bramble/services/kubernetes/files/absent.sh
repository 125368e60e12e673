# What a snapshot says of nodes that have not joined yet is past: none but $1 is ready. kubeadm takes no node for another
# that is.
. ./kubectl.sh
nodes=$(kubectl get nodes --output name) || exit 1
for node in $nodes; do
    [ "$node" = "node/$1" ] || kubectl patch "$node" --subresource status --patch \
        '{"status": {"conditions": [{"type": "Ready", "status": "Unknown", "reason": "Restored"}]}}' || exit 1
done
touch "$2"
