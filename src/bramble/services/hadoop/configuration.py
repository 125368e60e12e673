"""The text of Hadoop's configuration files, and of its units."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template
from xml.sax.saxutils import escape

from .. import JAVA
from .catalogue import HOME
from .nodes import CONTAINER, Node, Nodes
from .text import text

_BANNER = "Made by bramble: what is changed here is overwritten by the next `bramble deploy hadoop`."

CONF = "/etc/hadoop"

#: What Hadoop keeps: names and copies of them on the manager, files on the others; and what may go.
DATA, SCRATCH, LOGS = "/var/lib/hadoop", "/var/lib/hadoop-yarn", "/var/log/hadoop"

#: Hosts that may keep files and run tasks, and those of them that are about to leave.
MEMBERS, LEAVING = f"{CONF}/members", f"{CONF}/leaving"

#: Daemon → its command, its user, the file that is its own beside core-site.xml, and what people call it.
DAEMONS = {
    "namenode": ("hdfs", "hdfs", "hdfs-site.xml", "names of files (NameNode)"),
    "secondarynamenode": ("hdfs", "hdfs", "hdfs-site.xml", "a copy of the names (SecondaryNameNode)"),
    "datanode": ("hdfs", "hdfs", "hdfs-site.xml", "content of files (DataNode)"),
    "resourcemanager": ("yarn", "yarn", "yarn-site.xml", "which job runs where (ResourceManager)"),
    "nodemanager": ("yarn", "yarn", "yarn-site.xml", "tasks (NodeManager)"),
    "historyserver": ("mapred", "mapred", "mapred-site.xml", "jobs that ended (JobHistoryServer)"),
}

#: Share of a container that its Java may take as heap [256 MiB: with 160 it peaks at 222, with 192 too near].
HEAP = 0.625

#: Daemons listen on all addresses: what a host calls itself need not be the only one by which others reach it.
EVERYWHERE = "0.0.0.0"  # noqa: S104

#: In HDFS, where jobs lie while they run.
STAGING = "/tmp/hadoop-yarn/staging"  # noqa: S108

_CLASSPATH = f"{CONF}:{HOME}/etc:{HOME}/lib/*"

#: Seconds of silence after which a host counts as lost: usual are ten minutes, in which its files have a copy less.
LOST = 90


def unit_name(daemon: str) -> str:
    """Of a daemon."""
    return f"hadoop-{daemon}"


def unit(node: Node, daemon: str) -> str:
    """The unit of a daemon."""
    command, user, _, title = DAEMONS[daemon]
    return Template(text("daemon.service")).substitute(
        banner=_BANNER,
        title=title,
        user=user,
        java=JAVA,
        home=HOME,
        heap=node.heap(daemon),
        command=command,
        daemon=daemon,
        # Tasks are started by this one, and talk by files in /tmp to what people start beside it.
        private="no" if daemon == "nodemanager" else "yes",
    )


def site(file: str, nodes: Nodes, node: Node) -> str:
    """One of the configuration files of a host."""
    settings = {
        "core-site.xml": _core,
        "hdfs-site.xml": _hdfs,
        "yarn-site.xml": _yarn,
        "mapred-site.xml": _mapred,
    }[file](nodes, node)
    lines = (
        f"  <property><name>{name}</name><value>{escape(str(value))}</value></property>"
        for name, value in settings.items()
    )
    return "\n".join(
        ['<?xml version="1.0"?>', f"<!-- {_BANNER} -->", "<configuration>", *lines, "</configuration>", ""]
    )


def members(nodes: Nodes) -> str:
    """The hosts that may keep files and run tasks, one a line."""
    return "".join(f"{node.name}\n" for node in nodes.working)


def _core(nodes: Nodes, node: Node) -> Mapping[str, object]:
    return {
        "fs.defaultFS": f"hdfs://{nodes.manager.name}:8020",
        "hadoop.tmp.dir": "/tmp/hadoop-${user.name}",  # noqa: S108
        # By default people who look at web pages are one user of no rights.
        "hadoop.http.staticuser.user": "nobody",
        "fs.trash.interval": 1440,
    }


def _hdfs(nodes: Nodes, node: Node) -> Mapping[str, object]:
    return {
        "dfs.replication": nodes.copies,
        "dfs.namenode.name.dir": f"file://{DATA}/names",
        "dfs.namenode.checkpoint.dir": f"file://{DATA}/secondary",
        "dfs.datanode.data.dir": f"file://{DATA}/data",
        "dfs.datanode.data.dir.perm": "700",
        "dfs.datanode.hostname": node.name,
        # A tenth of a card, so that a full cluster is no dead one.
        "dfs.datanode.du.reserved.pct": 10,
        "dfs.namenode.rpc-bind-host": EVERYWHERE,
        "dfs.namenode.http-bind-host": EVERYWHERE,
        "dfs.namenode.http-address": f"{nodes.manager.name}:9870",
        "dfs.namenode.secondary.http-address": f"{nodes.manager.name}:9868",
        "dfs.namenode.safemode.extension": 5000,
        "dfs.namenode.heartbeat.recheck-interval": (LOST - 30) * 1000 // 2,
        "dfs.namenode.handler.count": 10,
        "dfs.hosts": MEMBERS,
        "dfs.hosts.exclude": LEAVING,
        "dfs.permissions.superusergroup": "hadoop",
        # With one host there is no other to go on with when a write meets a lost one; with two, neither.
        "dfs.client.block.write.replace-datanode-on-failure.best-effort": "true",
    }


def _yarn(nodes: Nodes, node: Node) -> Mapping[str, object]:
    settings: dict[str, object] = {
        "yarn.resourcemanager.hostname": nodes.manager.name,
        "yarn.resourcemanager.bind-host": EVERYWHERE,
        "yarn.resourcemanager.nodes.include-path": MEMBERS,
        "yarn.resourcemanager.nodes.exclude-path": LEAVING,
        # Daemons and commands would wait for half a minute where it is not there yet.
        "yarn.resourcemanager.connect.retry-interval.ms": 2000,
        "yarn.nm.liveness-monitor.expiry-interval-ms": LOST * 1000,
        "yarn.am.liveness-monitor.expiry-interval-ms": LOST * 1000,
        "yarn.scheduler.minimum-allocation-mb": CONTAINER,
        "yarn.scheduler.maximum-allocation-mb": nodes.most,
        "yarn.scheduler.maximum-allocation-vcores": max(one.cores for one in nodes.working),
        "yarn.nodemanager.hostname": node.name,
        "yarn.nodemanager.bind-host": EVERYWHERE,
        # A port that is another one after each start would leave a ghost of the node behind.
        "yarn.nodemanager.address": f"{node.name}:8041",
        "yarn.nodemanager.aux-services": "mapreduce_shuffle",
        "yarn.nodemanager.local-dirs": f"{SCRATCH}/local",
        "yarn.nodemanager.log-dirs": f"{LOGS}/tasks",
        # Java asks for far more addresses than it uses memory.
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.delete.debug-delay-sec": 0,
        "yarn.log-aggregation-enable": "true",
        "yarn.log-aggregation.retain-seconds": 7 * 86400,
        "yarn.nodemanager.remote-app-log-dir": "/app-logs",
        "yarn.log.server.url": f"http://{nodes.manager.name}:19888/jobhistory/logs",
        "yarn.application.classpath": _CLASSPATH,
    }
    if node.works:
        settings |= {
            "yarn.nodemanager.resource.memory-mb": node.containers,
            "yarn.nodemanager.resource.cpu-vcores": node.cores,
        }
    return settings


def _mapred(nodes: Nodes, node: Node) -> Mapping[str, object]:
    task, manager = nodes.task, nodes.manager.name
    return {
        "mapreduce.framework.name": "yarn",
        "mapreduce.application.classpath": _CLASSPATH,
        "mapreduce.jobhistory.address": f"{manager}:10020",
        "mapreduce.jobhistory.bind-host": EVERYWHERE,
        "mapreduce.jobhistory.webapp.address": f"{manager}:19888",
        "mapreduce.jobhistory.intermediate-done-dir": "/mr-history/tmp",
        "mapreduce.jobhistory.done-dir": "/mr-history/done",
        "yarn.app.mapreduce.am.staging-dir": STAGING,
        "yarn.app.mapreduce.am.resource.mb": 2 * CONTAINER,
        "yarn.app.mapreduce.am.command-opts": _java(2 * CONTAINER),
        "mapreduce.map.memory.mb": task,
        "mapreduce.map.java.opts": _java(task),
        "mapreduce.reduce.memory.mb": task,
        "mapreduce.reduce.java.opts": _java(task),
        "mapreduce.task.io.sort.mb": 48 * task // CONTAINER,
        "mapreduce.client.submit.file.replication": nodes.copies,
        # A second try of a slow task beside the first takes what others need on so few hosts.
        "mapreduce.map.speculative": "false",
        "mapreduce.reduce.speculative": "false",
    }


def _java(container: int) -> str:
    return f"-Xmx{int(container * HEAP)}m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"
