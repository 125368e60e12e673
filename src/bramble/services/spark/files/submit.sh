# Submits the program on standard input, with one processor of each of $1 workers, heaps of $2 and options $3 for Java; the
# rest is the program's own. What Spark says is only told when it fails.
set -u
workers=$1 memory=$2 java=$3
shift 3
folder=$(mktemp -d /var/lib/spark/local/verify.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' TERM
cat >"$folder/proof.py"
spark-submit --name bramble-verify --total-executor-cores "$workers" --executor-cores 1 \
    --executor-memory "$memory" --driver-memory "$memory" \
    --driver-java-options "$java" --conf "spark.executor.extraJavaOptions=$java" \
    --conf spark.scheduler.minRegisteredResourcesRatio=1.0 --conf spark.scheduler.maxRegisteredResourcesWaitingTime=120s \
    --conf spark.shuffle.reduceLocality.enabled=false --conf spark.locality.wait=0s \
    --conf spark.ui.enabled=false --conf spark.eventLog.enabled=false \
    "$folder/proof.py" "$@" 2>"$folder/log"
status=$?
[ $status = 0 ] || tail -n 30 "$folder/log" >&2
exit $status
