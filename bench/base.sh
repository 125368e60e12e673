#!/bin/bash
# Hosts prepared by hand: what `bramble prepare` with the options of bench/base.py is measured against.
#
#     bench/base.sh SSH_CONFIG HOST...
#
# The same work with nothing but ssh, bash and apt, on all hosts at once, one connection a host. The names must stand in
# SSH_CONFIG with HostName, User, keys. Prints the seconds each part took, and the whole. It checks and remembers
# nothing, and puts nothing back.
set -euo pipefail

config=$1
hosts=("${@:2}")
. "$(dirname "$0")/parallel.sh"

address() { on "$1" "ip -o route get 192.0.2.1 | grep -o 'src [^ ]*' | cut -c5-"; }
prepare() { on "$1" sudo bash -s -- "$1" <"$work/prepare.sh"; }

everywhere address address "${hosts[@]}"
lap facts

{
    cat <<'HOST'
set -e
export DEBIAN_FRONTEND=noninteractive
echo "$1" >/etc/hostname
hostname "$1"
sed -i "/^127\.0\.1\.1/d" /etc/hosts
HOST
    for host in "${hosts[@]}"; do echo "echo '$(cat "$work/$host.address")	$host' >>/etc/hosts"; done
    cat <<'HOST'
ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime
echo Europe/Berlin >/etc/timezone
apt-get -q -y --no-install-recommends install locales figlet </dev/null
sed -i 's/^# *\(de_DE.UTF-8 UTF-8\)/\1/' /etc/locale.gen
locale-gen </dev/null
sed -i 's/^LANG=.*/LANG=de_DE.UTF-8/' /etc/default/locale
swapoff --all
for name in dphys-swapfile zramswap zram-config; do systemctl disable --now "$name" </dev/null 2>/dev/null || true; done
sed -i '/^[^#].*\sswap\s/d' /etc/fstab
printf '[all]\ndtoverlay=disable-wifi\ndtoverlay=disable-bt\n' >>/boot/firmware/config.txt
sed -i 's/$/ cgroup_enable=memory/' /boot/firmware/cmdline.txt
HOST
} >"$work/prepare.sh"
everywhere prepare prepare "${hosts[@]}"
lap prepare

printf '%-12s %6.2f s\n' whole "$(bc <<<"$EPOCHREALTIME - $began")"
