# drained NODE...: whether Slurm gives these nodes no new jobs, and none is left on them.
command -v scontrol >/dev/null || exit 0
nodes=$(IFS=,; echo "$*")
[ -z "$(squeue --noheader --nodelist="$nodes" --states=running,completing,suspended,stopped)" ] || exit 1
! sinfo --noheader --Node --nodes="$nodes" --format=%T | grep -qv drain
