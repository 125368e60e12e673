#!/bin/sh
# hadoop, hdfs, mapred and yarn: finds the class behind a subcommand, and starts it. Configuration is in /etc/hadoop, or
# where HADOOP_CONF_DIR says; HADOOP_HEAPSIZE_MAX (MiB or as Java takes it), HADOOP_OPTS and HADOOP_CLASSPATH as ever.
set -eu
program=${0##*/}
self=$(readlink -f "$0")
home=${self%/bin/*}
conf=${HADOOP_CONF_DIR:-/etc/hadoop}
if [ "${1:-}" = --config ]; then conf=$2; shift 2; fi
command=${1:-help}
[ $# -eq 0 ] || shift

known() {
    case $program in
        hdfs) echo "dfs dfsadmin fsck getconf balancer mover groups classpath version
also: namenode secondarynamenode datanode storagepolicies snapshotDiff lsSnapshottableDir oiv oev haadmin" ;;
        yarn) echo "jar application app applicationattempt container node queue logs top rmadmin classpath version
also: resourcemanager nodemanager cluster" ;;
        mapred) echo "job queue historyserver hsadmin classpath version" ;;
        *) echo "fs jar distcp archive checknative conf classpath version" ;;
    esac
}

p=org.apache.hadoop
case "$program $command" in
    "hdfs dfs" | "hadoop fs" | "hadoop dfs") class=$p.fs.FsShell ;;
    "hdfs namenode") class=$p.hdfs.server.namenode.NameNode ;;
    "hdfs secondarynamenode") class=$p.hdfs.server.namenode.SecondaryNameNode ;;
    "hdfs datanode") class=$p.hdfs.server.datanode.DataNode ;;
    "hdfs dfsadmin") class=$p.hdfs.tools.DFSAdmin ;;
    "hdfs fsck") class=$p.hdfs.tools.DFSck ;;
    "hdfs getconf") class=$p.hdfs.tools.GetConf ;;
    "hdfs haadmin") class=$p.hdfs.tools.DFSHAAdmin ;;
    "hdfs groups") class=$p.hdfs.tools.GetGroups ;;
    "hdfs storagepolicies") class=$p.hdfs.tools.StoragePolicyAdmin ;;
    "hdfs snapshotDiff") class=$p.hdfs.tools.snapshot.SnapshotDiff ;;
    "hdfs lsSnapshottableDir") class=$p.hdfs.tools.snapshot.LsSnapshottableDir ;;
    "hdfs oiv") class=$p.hdfs.tools.offlineImageViewer.OfflineImageViewerPB ;;
    "hdfs oev") class=$p.hdfs.tools.offlineEditsViewer.OfflineEditsViewer ;;
    "hdfs balancer") class=$p.hdfs.server.balancer.Balancer ;;
    "hdfs mover") class=$p.hdfs.server.mover.Mover ;;
    "yarn resourcemanager") class=$p.yarn.server.resourcemanager.ResourceManager ;;
    "yarn nodemanager") class=$p.yarn.server.nodemanager.NodeManager ;;
    "yarn application" | "yarn app" | "yarn applicationattempt" | "yarn container")
        class=$p.yarn.client.cli.ApplicationCLI
        [ "$command" != app ] || command=application
        set -- "$command" "$@"
        ;;
    "yarn node") class=$p.yarn.client.cli.NodeCLI ;;
    "yarn queue") class=$p.yarn.client.cli.QueueCLI ;;
    "yarn logs") class=$p.yarn.client.cli.LogsCLI ;;
    "yarn cluster") class=$p.yarn.client.cli.ClusterCLI ;;
    "yarn rmadmin") class=$p.yarn.client.cli.RMAdminCLI ;;
    "yarn top") class=$p.yarn.client.cli.TopCLI ;;
    "mapred historyserver") class=$p.mapreduce.v2.hs.JobHistoryServer ;;
    "mapred hsadmin") class=$p.mapreduce.v2.hs.client.HSAdmin ;;
    "mapred job") class=$p.mapred.JobClient ;;
    "mapred queue") class=$p.mapred.JobQueueClient ;;
    "hadoop jar" | "yarn jar") class=$p.util.RunJar ;;
    "hadoop distcp") class=$p.tools.DistCp ;;
    "hadoop checknative") class=$p.util.NativeLibraryChecker ;;
    "hadoop conf") class=$p.util.ConfTest ;;
    *" version") class=$p.util.VersionInfo ;;
    *" classpath") class= ;;
    *" help" | *" --help" | *" -h")
        echo "usage: $program [--config FOLDER] COMMAND ..."
        echo "commands: $(known)"
        exit 0
        ;;
    "hadoop "*.*) class=$command ;; # a class by its name
    *)
        echo "$program: there is no command '$command'" >&2
        echo "there are: $(known)" >&2
        exit 2
        ;;
esac

path="$conf:$home/etc:$home/lib/*:$home/web${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}"
if [ -z "$class" ]; then
    echo "$path"
    exit 0
fi
java=${JAVA_HOME:-/usr/local/lib/bramble/java}/bin/java
[ -x "$java" ] || { echo "$program: there is no Java at $java: bramble deploy java" >&2; exit 1; }
heap=${HADOOP_HEAPSIZE_MAX:-256}
case $heap in *[!0-9]*) ;; *) heap=${heap}m ;; esac
# What a command saves by a quick start is more than what it loses: most live for seconds. Daemons of YARN 3.4 make classes
# in a way that Java 17 allows to none but those who are told here.
exec "$java" "-Dproc_$command" "-Xmx$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
    --add-opens=java.base/java.lang=ALL-UNNAMED ${HADOOP_OPTS:-} "-Dhadoop.home.dir=$home" -classpath "$path" "$class" "$@"
