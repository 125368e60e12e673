# What Docker made goes with it; $1 is where it keeps what it has. It has been stopped by now, unless it ran before
# bramble came, or has moved to another folder.
home=$1
ours='docker0|docker_gwbridge|br-[0-9a-f]{12}'
docker_links() { ip -oneline link show type bridge | sed -nE "s/^[0-9]+: ($ours):.*/\1/p"; }

# Containers that were to outlive Docker's restart are containerd's to end.
end_containers() {
    systemctl is-active --quiet containerd || systemctl start containerd
    for task in $(ctr --namespace moby tasks list --quiet); do ctr --namespace moby tasks delete --force "$task"; done
    for one in $(ctr --namespace moby containers list --quiet); do ctr --namespace moby containers delete "$one"; done
    ctr namespaces remove moby plugins.moby
}

# What lies directly in the folder may be a disk of somebody's.
unmount() {
    awk -v home="$home/" '$2 ~ "^/run/docker/" || index($2, home) == 1 && substr($2, length(home) + 1) ~ "/" {print $2}' \
        /proc/mounts | sort -r | while read -r mount; do umount --lazy "$mount"; done
}

end_network() {
    for link in $(docker_links); do ip link delete "$link"; done
    # Rules in Docker's chains, to them, of its bridges, and those by which a container reaches its own published port.
    rule="DOCKER|[A-Z]+ .*(-j DOCKER|-[io] ($ours|br-\+) |-s ([0-9./]+) -d \4 .*-j MASQUERADE)"
    for kind in iptables ip6tables; do
        for table in raw nat filter mangle; do
            $kind-save -t $table | sed -nE "\#^-A ($rule)#s/^-A/-D/p" | while read -r line; do
                eval "$kind -w -t $table $line"
            done
            for chain in $($kind-save -t $table | sed -nE 's/^:(DOCKER[^ ]*) .*/\1/p'); do
                $kind -w -t $table -X "$chain"
            done
        done
    done
    # Tables that iptables made for these and that hold nothing any more.
    nft list tables | awk '$2 ~ /^ip6?$/ && $3 ~ /^(filter|nat|mangle|raw)$/ {print $2, $3}' | while read -r table; do
        nft list table $table | grep -vqE '^(table|}|#)|^[[:space:]]*(chain |}|type .* policy accept;|$)' ||
            nft delete table $table
    done
}

# Volumes stay; those that hold nothing are no data, and the list of them is of use only with some.
end_data() {
    find "$home" -mindepth 1 -maxdepth 1 ! -name volumes ! -name .bramble -exec rm -rf --one-file-system {} +
    for volume in "$home"/volumes/*/; do rmdir "$volume/_data" "$volume"; done
    rm -f "$home/volumes/backingFsBlockDev"
    find "$home/volumes" -mindepth 1 -maxdepth 1 -type d | grep -q . || rm -f "$home/volumes/metadata.db"
}

{
    if [ -e /etc/systemd/system/docker.service.d/bramble.conf ]; then
        : # Docker goes on, in another folder.
    elif systemctl is-active --quiet docker; then
        for to in docker0 br-+; do iptables -w -D FORWARD -o "$to" -j DROP; done
        exit 0
    else
        # The package would take volumes along when it is purged.
        chmod a-x /usr/share/docker.io/contrib/nuke-graph-directory.sh
        rm -f "$home/nuke-graph-directory.sh"
        [ -s "$home/.bramble/before" ] || systemctl stop docker.socket
        end_containers
        unmount
        end_network
        rm -rf /run/docker /run/docker.pid
        find /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker -depth -type d -exec rmdir {} +
        [ -s "$home/.bramble/before" ] || rm -f /etc/docker/key.json
    fi
    # What was here before bramble stays, with what has become of it.
    [ -s "$home/.bramble/before" ] || end_data
} >/dev/null 2>&1 # much of it is often not there; what counts is what is left
[ -e /etc/systemd/system/docker.service.d/bramble.conf ] || left=$(docker_links; iptables-save 2>/dev/null | grep '^:DOCKER')
[ -z "$left" ] || { echo "of Docker's network is left:" $left >&2; exit 1; }
