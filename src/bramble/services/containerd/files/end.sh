# Containers live on when containerd stops, as they must when it restarts. When it goes for good, they go, too.
set -e
systemctl is-active --quiet containerd || systemctl start containerd
for namespace in $(ctr namespaces list --quiet); do
    for task in $(ctr --namespace "$namespace" tasks list --quiet); do
        ctr --namespace "$namespace" tasks delete --force "$task"
    done
done
