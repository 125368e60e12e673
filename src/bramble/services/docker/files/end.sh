# What Docker made goes with it; $1 is where it keeps what it has, or kept until it moved to another folder.
home=$1
ours='docker0|docker_gwbridge|br-[0-9a-f]{12}'
docker_runs() { systemctl is-active --quiet docker; }
docker_links() { ip -oneline link show type bridge | sed -nE "s/^[0-9]+: ($ours):.*/\1/p"; }

# Containers that outlive Docker's restart are containerd's to end, and what forwards their ports is its own. Those that
# a running Docker knows go on.
end_containers() {
    systemctl is-active --quiet containerd || systemctl start containerd
    known=$(docker_runs && docker ps --all --quiet --no-trunc)
    for kind in tasks containers; do
        for one in $(ctr --namespace moby $kind list --quiet); do
            case "$known" in *"$one"*) continue ;; esac
            if [ $kind = tasks ]; then force=--force; else force=; fi
            ctr --namespace moby $kind delete $force "$one"
        done
    done
    docker_runs && return
    systemctl kill --signal=KILL docker.service
    ctr namespaces remove moby plugins.moby
}

# What lies directly in the folder may be a disk of somebody's; what begins with $1 goes, too.
unmount() {
    awk -v home="$home/" -v also="$1" '
        also && index($2, also) == 1 {print $2}
        index($2, home) == 1 && substr($2, length(home) + 1) ~ "/" {print $2}
    ' /proc/mounts | sort -r | while read -r mount; do umount --lazy "$mount"; done
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
    # What Docker had here before bramble came. Then it stays, with what has become of it.
    theirs=$(cat "$home/.bramble/before")
    root=$(docker_runs && docker info --format '{{.DockerRootDir}}')
    if docker_runs && [ "${root:-$home}" != "$home" ]; then
        end_containers
        unmount
    elif [ -z "$theirs" ] || ! docker_runs; then
        [ -n "$theirs" ] || systemctl stop docker.socket docker.service
        # The package would take volumes along when it is purged.
        chmod a-x /usr/share/docker.io/contrib/nuke-graph-directory.sh
        rm -f "$home/nuke-graph-directory.sh"
        end_containers
        unmount /run/docker/
        end_network
        rm -rf /run/docker /run/docker.pid
        find /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker -depth -type d -exec rmdir {} +
        [ -n "$theirs" ] || rm -f /etc/docker/key.json
    fi
    [ -n "$theirs" ] || end_data
    if docker_runs && [ ! -e /etc/systemd/system/docker.service.d/bramble.conf ]; then
        for to in docker0 br-+; do iptables -w -D FORWARD -o "$to" -j DROP; done
    fi
} >/dev/null 2>&1 # much of it is often not there; what counts is what is left
docker_runs || left=$(docker_links; iptables-save 2>/dev/null | grep '^:DOCKER')
[ -z "$left" ] || { echo "of Docker's network is left:" $left >&2; exit 1; }
