# Whether all these nodes ($2 and on) are in the cluster, or else there is a token by which they may join for some minutes
# ($1). One that is known but not ready may have been cut while it joined: it needs the token once more.
. ./kubectl.sh
known=$(kubectl get nodes --no-headers) || exit 1
home=$1
shift
missing=
for node in "$@"; do
    echo "$known" | grep -q "^$node  *Ready" || missing=$node
done
[ -n "$missing" ] || exit 0
token=$(sed -n 's/^  name: //p' "$home/token.yaml")
ends=$(kubectl --namespace kube-system get secret "$token" --output 'jsonpath={.data.expiration}' | base64 --decode) || exit 1
[ "$(date -d "$ends" +%s)" -gt "$(date -d '+10 minutes' +%s)" ]
