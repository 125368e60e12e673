# Containers live on when containerd stops, as they must when it restarts. When it goes for good, they go, too. $1 marks
# that they are to go.
set -e
systemctl is-active --quiet containerd || systemctl start containerd
for namespace in $(ctr namespaces list --quiet); do
    # A Docker that still runs was here before bramble, and so was containerd: its containers are not ours to end.
    if [ "$namespace" = moby ] && systemctl is-active --quiet docker; then continue; fi
    for task in $(ctr --namespace "$namespace" tasks list --quiet); do
        # A container that does not end is told, and not waited for until the whole removal runs out of time.
        timeout 60 ctr --namespace "$namespace" tasks delete --force "$task" || {
            echo "the container $task of $namespace does not end: ctr --namespace $namespace tasks list" >&2
            exit 1
        }
    done
done
rm -f "$1"
