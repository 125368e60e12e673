#!/bin/bash
# A cluster of Java daemons by hand: what `bramble deploy spark` and `bramble deploy hadoop` are measured against.
#
#     bench/daemons.sh SSH_CONFIG FOLDER SERVICE MANAGER WORKER...
#
# With nothing but ssh, apt and tar, on all hosts at once. FOLDER has tree.tar, the service's programs, which is copied to
# every host, and HOST.tar for each: configuration, units, empty folders. Ends when the last daemon listens, and prints the
# seconds of each part. It checks and remembers nothing, and puts nothing back.
set -euo pipefail

config=$1 folder=$2 service=$3 manager=$4
hosts=("${@:4}")
. "$(dirname "$0")/parallel.sh"

packages() {
    on "$1" sudo sh -ec "'
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q -y --no-install-recommends install \$(apt-cache search --names-only \"^openjdk-[0-9]+-jre-headless\" | cut -d\" \" -f1 | sort -V | tail -1) </dev/null
        for group in spark hadoop; do groupadd --system \$group; done
        useradd --system --gid spark --home-dir /var/lib/spark spark
        for user in hdfs yarn mapred; do useradd --system --gid hadoop \$user; done'"
}

tree() { on "$1" sudo tar --extract --absolute-names --no-same-owner <"$folder/tree.tar"; }

files() {
    on "$1" sudo tar --extract --absolute-names <"$folder/$1.tar"
    on "$1" sudo systemctl daemon-reload
}

# Starts all that a host has, and waits for what each listens at.
daemons() { # HOST PORT...
    on "$1" sudo sh -ec "'
        cd /etc/systemd/system
        systemctl enable --quiet --now \$(ls -d $service-*.s* | grep -v name.service)
        for port in ${*:2}; do
            until ss -Hltn \"sport = :\$port\" | grep -q .; do sleep 0.2; done
        done'"
}

case $service in
    spark)
        first() { daemons "$1" 7077 8080; }
        others() { daemons "$1" 8081; }
        ;;
    hadoop)
        first() {
            on "$1" sudo runuser -u hdfs -- hdfs namenode -format -nonInteractive
            daemons "$1" 8020 9868 8033 19888
        }
        others() { daemons "$1" 9867 8042; }
        last() {
            on "$1" sudo sh -ec "'
                runuser -u hdfs -- hdfs dfsadmin -safemode wait
                runuser -u hdfs -- hdfs dfs -mkdir -p /tmp/hadoop-yarn/staging /user/pi /app-logs /mr-history/tmp /mr-history/done
                runuser -u hdfs -- hdfs dfs -chmod 1777 / /tmp /tmp/hadoop-yarn /tmp/hadoop-yarn/staging /user /app-logs /mr-history/tmp
                runuser -u hdfs -- hdfs dfs -chown -R mapred:hadoop /mr-history
                runuser -u hdfs -- hdfs dfs -chown yarn:hadoop /app-logs
                runuser -u hdfs -- hdfs dfs -chown pi /user/pi'"
        }
        ;;
esac

everywhere packages packages "${hosts[@]}"
lap packages
everywhere tree tree "${hosts[@]}"
lap tree
everywhere files files "${hosts[@]}"
lap files
everywhere first first "$manager"
lap manager
everywhere others others "${hosts[@]:1}"
lap others
if declare -F last >/dev/null; then
    everywhere last last "$manager"
    lap folders
fi
printf '%-12s %6.2f s\n' whole "$(bc <<<"$EPOCHREALTIME - $began")"
