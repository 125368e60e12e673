# All daemons of Spark on this host take the version in the folder $1: the link $2 is turned to it. Back to what was there
# where they do not come up within $3 seconds. The master is at $4:$5, its page at $6; $7 asks that for this worker, at $8
# (empty where none is).
new=$1 link=$2 seconds=$3 master=$4 port=$5 page=$6 look=$7 worker=$8
before=$(readlink "$link")
units=
for unit in spark-master spark-worker spark-history spark-connect; do
    systemctl --quiet is-enabled "$unit" 2>/dev/null && units="$units $unit"
done
turn() {
    systemctl stop $units
    ln -sfn "$1" "$link.new" && mv -fT "$link.new" "$link" || return 1
    systemctl reset-failed $units 2>/dev/null
    said=$(systemctl start $units 2>&1 | head -n 1)
    [ -z "$said" ]
}
# Whether one of them ends again and again.
falls() {
    for unit in $units; do
        [ "$(systemctl show --property NRestarts --value "$unit")" -lt 3 ] || { said="$unit does not start"; return 0; }
    done
    return 1
}
known() {
    if [ -z "$worker" ]; then
        (exec 3<>"/dev/tcp/$master/$port") 2>/dev/null && return
        said="nobody listens at $master:$port"
    else
        said=$(python3 -IS -c "$look" "$page/json/" 0 "worker=$worker" 2>&1)
        [ "$said" = worker ]
    fi
}
up() {
    ends=$(($(date +%s) + seconds))
    until known; do
        ! falls && [ "$(date +%s)" -lt "$ends" ] || return 1
        sleep 1
    done
    # The others need a moment to show whether they can start.
    sleep 2
    for unit in $units; do
        systemctl --quiet is-active "$unit" || { said="$unit does not run"; return 1; }
    done
}
if turn "$new" && up; then
    exit 0
fi
why=$said
journalctl --unit="spark-*" --no-pager --lines=12 --output=cat
turn "$before"
up || why="$why; and in the version of before: $said"
echo "it did not work in the new version, so this host went back to the one before: $why" >&2
exit 1
