# Bring back what a cluster knew, in two steps ($1), each of which goes on where an earlier try was cut.
# prepare: the snapshot $2 of etcd becomes what member $3 at $4 of the members $5 would have, by the programs in $6; what
# is there now works on. swap: it takes the place of what is there now, which is put aside in the folder $2. The last word
# is a file that says that it is done.
set -e
step=$1
new=/var/lib/etcd/restored manifests=/etc/kubernetes/manifests
if [ "$step" = prepare ]; then
    rm -rf "$new"
    # Revisions go on far above those that anybody has seen, so that no watch believes it is up to date.
    if ! said=$("$6/etcdutl" snapshot restore "$2" --data-dir "$new" --name "$3" --initial-cluster "$5" \
        --initial-advertise-peer-urls "https://$4:2380" --bump-revision 1000000000 --mark-compacted 2>&1); then
        rm -rf "$new"
        echo "$said" | tail -n 5 >&2
        exit 1
    fi
    touch "$7"
    exit 0
fi
aside=$2
if [ -e "$manifests/etcd.yaml" ]; then
    rm -rf "$aside"
    mkdir -m 700 "$aside"
    # Servers of the control plane end when the kubelet finds their manifests gone.
    systemctl start kubelet
    mv "$manifests" "$aside/"
    mkdir -m 755 "$manifests"
elif [ ! -e "$aside/manifests/etcd.yaml" ]; then
    echo "there is no control plane on this host: first deploy it to its end, then bring the backup back" >&2
    exit 1
fi
for _ in $(seq 60); do
    pgrep -x 'etcd|kube-apiserver' >/dev/null || break
    sleep 1
done
if pgrep -x 'etcd|kube-apiserver' >/dev/null; then
    cp -a "$aside"/manifests/* "$manifests/"
    echo "etcd did not end within 60 s, so nothing was changed" >&2
    exit 1
fi
if [ -e "$new/member" ]; then
    if [ -e "$aside/member" ]; then rm -rf /var/lib/etcd/member; else mv /var/lib/etcd/member "$aside/"; fi
    mv "$new/member" /var/lib/etcd/
fi
rm -rf "$new"
cp -a "$aside"/manifests/* "$manifests/"
touch "$3"
