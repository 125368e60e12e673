# Take this host out of its cluster, and away what kubelet, the network's plugins and flannel made.
export PATH=/usr/local/bin:$PATH
if command -v kubeadm >/dev/null; then
    systemctl is-active --quiet containerd || systemctl start containerd
    # Whoever leaves a control plane that stays was taken out of its etcd before.
    kubeadm reset --force --skip-phases=remove-etcd-member >/dev/null 2>&1
fi
systemctl stop kubelet 2>/dev/null
# Processes are ended here and not left to ctr, which was seen to wait for ever for one that it had not ended.
ctr --namespace k8s.io tasks list 2>/dev/null | awk 'NR > 1 && $2 > 1 {print $2}' | xargs -r kill -9 2>/dev/null
for task in $(ctr --namespace k8s.io tasks list --quiet 2>/dev/null); do
    timeout 20 ctr --namespace k8s.io tasks delete --force "$task" >/dev/null 2>&1
done
for container in $(ctr --namespace k8s.io containers list --quiet 2>/dev/null); do
    ctr --namespace k8s.io containers delete "$container" >/dev/null 2>&1
done
# What kubeadm leaves of volumes, and of pods that it could not end.
folders='^/(var/lib/kubelet|run/containerd/io.containerd.grpc.v1.cri)/'
for mount in $(awk '{print $2}' /proc/mounts | grep -E "$folders" | sort -r); do umount --lazy "$mount"; done
for link in flannel.1 cni0; do ip link delete "$link" 2>/dev/null; done
for network in $(ip netns list 2>/dev/null | awk '/^cni-/ {print $1}'); do ip netns delete "$network"; done
for table in $(nft list tables 2>/dev/null | awk '$3 ~ /^(kube-proxy|flannel-ipv4|flannel-ipv6)$/ {print $2 "/" $3}'); do
    nft delete table "${table%/*}" "${table#*/}"
done
for kind in iptables ip6tables; do
    for table in nat filter mangle; do
        $kind-save -t $table 2>/dev/null | grep -E '^-A .*(KUBE-|CNI-|cali)' | sed 's/^-A/-D/' | while read -r rule; do
            eval "$kind -t $table $rule" 2>/dev/null
        done
        for chain in $($kind-save -t $table 2>/dev/null | sed -n 's/^:\(KUBE-[^ ]*\|CNI-[^ ]*\) .*/\1/p'); do
            $kind -t $table -F "$chain" 2>/dev/null
            $kind -t $table -X "$chain" 2>/dev/null
        done
    done
done
# Tables that iptables made for these and that hold nothing any more.
for table in $(nft list tables 2>/dev/null | awk '$3 ~ /^(filter|nat|mangle|raw)$/ && $2 ~ /^ip6?$/ {print $2 "/" $3}'); do
    nft list table "${table%/*}" "${table#*/}" | grep -vqE '^(table|}|#)|^[[:space:]]*(chain |}|type .* policy accept;|$)' ||
        nft delete table "${table%/*}" "${table#*/}"
done
rm -rf /etc/cni/net.d/10-flannel.conflist /run/flannel /run/cni-ipam /var/lib/cni /var/lib/etcd/member /var/lib/etcd/restored /var/log/pods \
    /var/log/containers /run/kubernetes
# kubelet makes it for kube-proxy where a kernel has no modules.
rmdir /usr/lib/modules 2>/dev/null
find /usr/libexec/kubernetes -depth -type d -empty -delete 2>/dev/null
exit 0
