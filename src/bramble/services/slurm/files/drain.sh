# drain SECONDS NODE...: give these nodes no new jobs, and wait until those they have are over.
seconds=$1
shift
nodes=
for node; do
    scontrol show node "$node" >/dev/null 2>&1 && nodes="$nodes,$node"
done
nodes=${nodes#,}
if [ -z "$nodes" ]; then
    scontrol ping
    exit 1
fi
scontrol update NodeName="$nodes" State=DRAIN Reason="leaves the cluster" || exit 1
ends=$(($(date +%s) + seconds))
while jobs=$(squeue --noheader --nodelist="$nodes" --states=running,completing,suspended,stopped \
    --format="job %i (%j) of %u on %N"); do
    [ -z "$jobs" ] && exit 0
    if [ "$(date +%s)" -ge "$ends" ]; then
        echo "The nodes stay drained. Wait or end the jobs (scancel), then run the same command again."
        echo "To keep them instead: scontrol update NodeName=$nodes State=RESUME"
        echo "after $seconds s there runs still: $(echo "$jobs" | paste -s -d ',')"
        exit 1
    fi
    sleep 1
done
exit 1
