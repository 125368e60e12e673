# Bring an addition ($1: what its manifest is called, in the folder $2) into the cluster, or ("remove", as $0) out of it.
. ./kubectl.sh
manifest=$2/$1.yaml
if [ "$0" = remove ]; then
    # Where all goes, the cluster may be gone already, and this with it.
    kubectl --request-timeout 5s get --raw /readyz >/dev/null 2>&1 || exit 0
    sed 's/@CA@//' "$manifest" | kubectl delete --ignore-not-found --wait=false --filename -
    [ ! -e "$2/$1.crt" ] || kubectl --namespace kube-system delete --ignore-not-found secret "$1-server"
    exit 0
fi
set -e
if [ -e "$2/$1.crt" ]; then
    kubectl --namespace kube-system create secret tls "$1-server" --cert "$2/$1.crt" --key "$2/$1.key" \
        --dry-run=client --output yaml | kubectl apply --filename -
fi
sed "s|@CA@|$(base64 --wrap 0 /etc/kubernetes/pki/ca.crt)|" "$manifest" | kubectl apply --filename -
