# Containers live on when containerd stops, as they must when it restarts. When it goes for good, they go, too. $1 marks
# that they are to go.
set -e
systemctl is-active --quiet containerd || systemctl start containerd
for namespace in $(ctr namespaces list --quiet); do
    # A Docker that still runs was here before bramble, and so was containerd: its containers are not ours to end.
    if [ "$namespace" = moby ] && systemctl is-active --quiet docker; then continue; fi
    for task in $(ctr --namespace "$namespace" tasks list --quiet); do
        ctr --namespace "$namespace" tasks delete --force "$task"
    done
done
rm -f "$1"
