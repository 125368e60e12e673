# drained NODE...: whether Slurm gives these nodes no new jobs, and none is left on them.
command -v scontrol >/dev/null || exit 0
scontrol ping | grep -q UP || exit 1
for node; do
    # A node that Slurm does not know (any more) has nothing to be drained of.
    scontrol show node "$node" >/dev/null 2>&1 || continue
    sinfo --noheader --Node --nodes="$node" --format=%T | grep -q drain || exit 1
    [ -z "$(squeue --noheader --nodelist="$node" --states=running,completing,suspended,stopped)" ] || exit 1
done
