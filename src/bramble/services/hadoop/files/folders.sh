# Folders of the file system that everybody needs; made once, and then the people's own.
# arguments: a mark that it was done, users who get a home
set -eu
mark=$1
shift
as_hdfs() { runuser -u hdfs -- hdfs dfs "$@"; }
# Everybody may put something there, and nobody takes away what is another's: as in /tmp.
as_hdfs -mkdir -p /tmp/hadoop-yarn/staging /user /app-logs /mr-history/tmp /mr-history/done
as_hdfs -chmod 1777 / /tmp /tmp/hadoop-yarn /tmp/hadoop-yarn/staging /user /app-logs /mr-history/tmp
as_hdfs -chmod 750 /mr-history/done
as_hdfs -chown yarn:hadoop /app-logs
as_hdfs -chown -R mapred:hadoop /mr-history
for user; do
    as_hdfs -mkdir -p "/user/$user"
    as_hdfs -chown "$user" "/user/$user"
done
touch "$mark"
