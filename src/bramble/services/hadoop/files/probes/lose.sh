# Stop a unit for a proof, or start it again; should nobody come to do that, it starts by itself.
# $0: lost or back; arguments: the unit, seconds
set -eu
guard=bramble-verify-$1
systemctl stop "$guard.timer" 2>/dev/null || true
if [ "$0" = lost ]; then
    systemd-run --quiet --collect --unit "$guard" --on-active "$2" systemctl start "$1"
    systemctl stop "$1"
else
    systemctl start "$1"
fi
echo "$0"
