# Make this host a node: init or join ($1), with what lies in $2. One that was cut half-way is begun anew. $3 tells whether
# it can reach what it is to join.
set -e
phase=$1 home=$2 reach=$3
export PATH=/usr/local/bin:$PATH
if [ -e "$home/$phase.begun" ]; then
    kubeadm reset --force >/dev/null 2>&1 || true
    # What was made beforehand goes with a reset.
    if [ -d "$home/pki" ]; then cp -a "$home/pki" /etc/kubernetes/; fi
elif [ -e /etc/kubernetes/kubelet.conf ]; then
    echo "this host is a node of a cluster already, which bramble did not make: kubectl --kubeconfig /etc/kubernetes/kubelet.conf get nodes; if nobody needs it: sudo kubeadm reset" >&2
    exit 1
fi
if [ "$phase" = join ]; then sh -c "$reach" reach "$home"; fi
if [ -d /etc/kubernetes/pki ] && [ ! -e "$home/pki" ]; then cp -a /etc/kubernetes/pki "$home/"; fi
touch "$home/$phase.begun"
# Warnings of the preflight are about this system's age, and tell a person nothing to do. That etcd has data already is
# meant where a backup is brought back.
ignored=SystemVerification,Swap
[ ! -e /var/lib/bramble/restore/swapped ] || ignored=$ignored,DirAvailable--var-lib-etcd
kubeadm "$phase" --config "$home/$phase.yaml" --ignore-preflight-errors=$ignored
rm -rf "$home/pki"
touch "$home/$phase.done"
