# What the scripts of this folder share, who source it: ssh by the configuration $config with one connection a host, kept by
# ssh's own multiplexing; work on all hosts at once; and the time that each part took.
work=$(mktemp -d)
began=$EPOCHREALTIME

on() { ssh -F "$config" -o LogLevel=ERROR -o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$work/%C" "$@"; }

finish() {
    for host in "${hosts[@]}"; do ssh -F "$config" -o "ControlPath=$work/%C" -O exit "$host" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

# On each of some hosts at once: $1 is what it is called, $2 a function; both outputs are kept. Fails when one host fails.
everywhere() {
    local name=$1 what=$2 host failed=() pids=()
    shift 2
    for host in "$@"; do
        "$what" "$host" >"$work/$host.$name" 2>&1 &
        pids+=("$!")
    done
    for host in "$@"; do
        wait "${pids[0]}" || failed+=("$host")
        pids=("${pids[@]:1}")
    done
    for host in "${failed[@]}"; do echo "$host: $name failed" && tail -5 "$work/$host.$name"; done >&2
    [ ${#failed[@]} -eq 0 ]
}

lap() {
    local now=$EPOCHREALTIME
    printf '%-12s %6.2f s\n' "$1" "$(bc <<<"$now - ${last:-$began}")"
    last=$now
}
