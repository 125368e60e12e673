# Whether all these nodes are ready, and all pods of the system on nodes that are; says which is not. A node that is away
# is told where it failed itself.
. ./kubectl.sh
nodes=$(kubectl get nodes --no-headers 2>&1) || { echo "$nodes"; exit 1; }
for node in "$@"; do
    echo "$nodes" | grep -q "^$node  *Ready" || { echo "the node $node is not ready"; exit 1; }
done
pods=$(kubectl get pods --all-namespaces --output wide --no-headers 2>&1) || { echo "$pods"; exit 1; }
ready=$(echo "$nodes" | awk '$2 ~ /^Ready/ {printf "%s ", $1}')
waits=$(echo "$pods" | awk -v ready="$ready" '
    BEGIN { split(ready, names, " "); for (n in names) there[names[n]] = 1 }
    $1 ~ /^kube-/ {
        split($3, n, "/")
        if ($4 == "Running" && n[1] == n[2]) next
        # RESTARTS may hold blanks, so columns are counted from the end.
        node = $(NF - 2)
        if (node == "<none>" || node in there) { print $2 " (" $4 ")"; exit }
    }')
[ -z "$waits" ] || { echo "the pod $waits is not ready"; exit 1; }
