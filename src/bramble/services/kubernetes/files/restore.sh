# Bring back what the cluster knew: the snapshot $1 of etcd becomes what node $2 at $3 has, by the programs in $4.
# What is there now is put aside in the folder $5.
set -e
new=/var/lib/etcd/restored aside=$5
rm -rf "$new" "$aside"
# Revisions go on far above those that anybody has seen, so that no watch believes it is up to date.
"$4/etcdutl" snapshot restore "$1" --data-dir "$new" --name "$2" --initial-cluster "$2=https://$3:2380" \
    --initial-advertise-peer-urls "https://$3:2380" --bump-revision 1000000000 --mark-compacted >/dev/null 2>&1
mkdir -m 700 "$aside"
# Servers of the control plane end when the kubelet finds their manifests gone.
systemctl start kubelet
mv /etc/kubernetes/manifests "$aside/"
mkdir -m 755 /etc/kubernetes/manifests
for _ in $(seq 60); do
    pgrep -x 'etcd|kube-apiserver' >/dev/null || break
    sleep 1
done
if pgrep -x 'etcd|kube-apiserver' >/dev/null; then
    mv "$aside"/manifests/* /etc/kubernetes/manifests/
    echo "etcd did not end within 60 s, so nothing was changed" >&2
    exit 1
fi
mv /var/lib/etcd/member "$aside/"
mv "$new/member" /var/lib/etcd/
rm -rf "$new"
cp -a "$aside"/manifests/* /etc/kubernetes/manifests/
