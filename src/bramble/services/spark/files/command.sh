#!/bin/sh
# ${banner}
# One of Spark's commands, by the name that this was called by.
# The version of now, to the end of the program: an upgrade turns the link.
SPARK_HOME=$$(readlink -f ${home})
export SPARK_HOME
: "$${SPARK_CONF_DIR:=/etc/spark}"
export SPARK_CONF_DIR
if [ "$$SPARK_CONF_DIR" = /etc/spark ] && [ ! -r /etc/spark/spark-defaults.conf ]; then
    echo "$${0##*/}: $$(id -un) may not submit programs on this cluster: /etc/spark/spark-defaults.conf cannot be read" >&2
    echo "use sudo; or let bramble put you into the group spark: bramble deploy spark --set users=$$(id -un)" >&2
    echo "(whoever is in it already logs in anew)" >&2
    exit 1
fi
# Where the hosts have Hadoop, programs know its files and its queues.
if [ -z "$${HADOOP_CONF_DIR-}" ] && [ -r /etc/hadoop/core-site.xml ]; then
    export HADOOP_CONF_DIR=/etc/hadoop
fi
exec "$$SPARK_HOME/bin/$${0##*/}" "$$@"
