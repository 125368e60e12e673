# Note in $1/.bramble/before what Docker has here already; empty where it has nothing but volumes, which an earlier
# Docker of ours may have left.
set -e
find "$1" -mindepth 1 -maxdepth 1 ! -name volumes ! -name .bramble >"$1/.bramble/new"
mv "$1/.bramble/new" "$1/.bramble/before"
