# ${banner}
# Read by all of Spark's commands and daemons on this host.
export JAVA_HOME=${java}
# Its own name may stand for 127.0.1.1 here, where no other host could reach a program.
: "$${SPARK_LOCAL_IP:=${address}}"
export SPARK_LOCAL_IP
# Every command asks a first, short Java what to start.
: "$${SPARK_LAUNCHER_OPTS:=${launcher_options}}"
export SPARK_LAUNCHER_OPTS
