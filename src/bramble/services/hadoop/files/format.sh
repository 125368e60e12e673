# Make an empty file system, once in its life.
# arguments: the folder of the names, a mark that it was made, the cluster's id
set -eu
names=$1 mark=$2
if [ -e "$mark" ]; then
    echo "the names of all files are gone from $names, and a new file system would lose what the hosts still keep" >&2
    echo "hint: is a disk missing (findmnt)? A copy, up to an hour old, is in ${names%/*}/secondary; to begin with nothing: bramble remove hadoop --purge" >&2
    exit 1
fi
rm -rf "$names/current" # the half of one that was cut off: it never held a file
runuser -u hdfs -- hdfs namenode -format -nonInteractive -clusterId "$3"
touch "$mark"
