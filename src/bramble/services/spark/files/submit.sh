# Submits the program on standard input, with one processor of each of $1 workers, heaps of $2 and options $3 for Java.
# $4 is a program that asks the history server at $5 whether it tells of it, or empty; the rest is the program's own. What
# Spark says is only told when it fails.
set -u
workers=$1 memory=$2 java=$3 told=$4 history=$5
shift 5
folder=$(mktemp -d /var/lib/spark/local/verify.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 143' TERM
export PROGRAM="$folder/number" SPARK_LOCAL_DIRS="$folder"
cat >"$folder/proof.py"
events=false
[ -z "$told" ] || events=true
spark-submit --name bramble-verify --total-executor-cores "$workers" --executor-cores 1 \
    --executor-memory "$memory" --driver-memory "$memory" \
    --driver-java-options "$java" --conf "spark.executor.extraJavaOptions=$java" \
    --conf spark.scheduler.minRegisteredResourcesRatio=1.0 --conf spark.scheduler.maxRegisteredResourcesWaitingTime=120s \
    --conf spark.shuffle.reduceLocality.enabled=false --conf spark.locality.wait=0s \
    --conf spark.ui.enabled=false --conf "spark.eventLog.enabled=$events" \
    "$folder/proof.py" "$@" 2>"$folder/log"
status=$?
if [ $status != 0 ]; then
    tail -n 30 "$folder/log" >&2
elif [ -n "$told" ]; then
    number=$(cat "$PROGRAM")
    python3 -IS -c "$told" "$history" "$number"
    # A proof is nothing that anybody wants to find there later.
    rm -rf "/var/lib/spark/events/$number" "/var/lib/spark/events/eventlog_v2_$number"
fi
exit $status
