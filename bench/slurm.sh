#!/bin/bash
# A Slurm cluster by hand: what `bramble deploy slurm` is measured against.
#
#     bench/slurm.sh SSH_CONFIG MANAGER NODE...
#
# Does the work of a deployment and the plainest proof of it with nothing but ssh, bash and apt, on all hosts at once:
# one connection a host (shared by ssh's own multiplexing), facts, users, munge key, configuration, packages, daemons,
# one job on all. The names must stand in SSH_CONFIG with HostName, User, keys. As with bramble, the manager runs jobs,
# too. Prints the seconds each part took, and the whole. It checks and remembers nothing, and puts nothing back.
set -euo pipefail

config=$1 manager=$2
hosts=("${@:2}")
. "$(dirname "$0")/parallel.sh"

as_root() { on "$2" sudo bash -s -- "$2" "$manager" <"$work/$1.sh"; }
facts() { as_root facts "$1"; }
deploy() { as_root deploy "$1"; }

cat >"$work/facts.sh" <<'HOST'
echo "$(nproc) $(awk '/MemTotal/ {print int($2 / 1024 * 0.95)}' /proc/meminfo) $(ip -o route get 192.0.2.1 | grep -o 'src [^ ]*' | cut -c5-)"
HOST
everywhere facts facts "${hosts[@]}"
lap facts

{
    echo "ClusterName=bench"
    echo "SlurmctldHost=$manager($(cut -d' ' -f3 "$work/$manager.facts"))"
    echo "SlurmUser=slurm"
    echo "StateSaveLocation=/var/lib/slurm/slurmctld"
    echo "SlurmdSpoolDir=/var/lib/slurm/slurmd"
    echo "ProctrackType=proctrack/cgroup"
    echo "TaskPlugin=task/affinity,task/cgroup"
    echo "SelectType=select/cons_tres"
    echo "SelectTypeParameters=CR_Core_Memory"
    echo "DefMemPerCPU=256"
    echo "ReturnToService=2"
    for host in "${hosts[@]}"; do
        read -r cpus memory address <"$work/$host.facts"
        echo "NodeName=$host NodeAddr=$address CPUs=$cpus RealMemory=$memory State=UNKNOWN"
    done
    echo "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
} >"$work/slurm.conf"

{
    echo 'set -e; export DEBIAN_FRONTEND=noninteractive'
    echo 'getent passwd slurm >/dev/null || adduser --quiet --system --group --uid 64030 --no-create-home --home /nonexistent slurm'
    echo 'getent passwd munge >/dev/null || adduser --quiet --system --group --no-create-home --home /nonexistent munge'
    echo 'install -d -m 0700 -o munge -g munge /etc/munge; install -d /etc/slurm'
    echo 'install -m 0400 -o munge -g munge /dev/null /etc/munge/munge.key'
    echo "base64 -d >/etc/munge/munge.key <<'KEY'"
    head -c 1024 /dev/urandom | base64
    echo KEY
    echo "cat >/etc/slurm/slurm.conf <<'CONF'"
    cat "$work/slurm.conf"
    echo CONF
    echo "cat >/etc/slurm/cgroup.conf <<'CONF'"
    echo 'ConstrainCores=yes'
    echo 'ConstrainRAMSpace=yes'
    echo CONF
    # shellcheck disable=SC2016  # these are the host's to expand
    echo '[ "$1" = "$2" ] && controller=slurmctld'
    # shellcheck disable=SC2016
    echo 'apt-get -q -y --no-install-recommends install munge slurm-client slurmd $controller </dev/null'
    # shellcheck disable=SC2016
    echo 'systemctl restart munge $controller slurmd </dev/null'
} >"$work/deploy.sh"
everywhere deploy deploy "${hosts[@]}"
lap deploy

# shellcheck disable=SC2016  # the manager's to expand
on "$manager" sudo timeout 60 bash -s -- "${#hosts[@]}" >"$work/answers" <<'HOST'
while ! srun --immediate=5 -N"$1" --chdir=/ hostname </dev/null 2>/dev/null; do sleep 0.1; done
HOST
diff <(printf '%s\n' "${hosts[@]}" | sort) <(sort "$work/answers")
lap job

printf '%-12s %6.2f s\n' whole "$(bc <<<"$EPOCHREALTIME - $began")"
