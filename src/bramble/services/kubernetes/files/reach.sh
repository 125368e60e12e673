# Whether this host may join: its way to the API server, and the token for it ($1: the folder in which they stand). Says
# why not and what to do, where it is not so for 30 s.
home=$1
server=$(sed -n 's/^ *server: //p' "$home/discovery.conf")
# Not on a command line, which anybody here can read.
umask 077
cat >"$home/reach.conf" <<END
apiVersion: v1
kind: Config
users: [{name: joins, user: {token: "$(sed -n 's/^ *tlsBootstrapToken: //p' "$home/join.yaml")"}}]
contexts: [{name: joins, context: {cluster: "", user: joins}}]
current-context: joins
END
export KUBECONFIG="$home/discovery.conf:$home/reach.conf"
ends=$(($(date +%s) + 30)) refused=0
while :; do
    said=$(kubectl --request-timeout 5s get --raw /api/v1/namespaces/kube-system/configmaps/kubeadm-config 2>&1 >/dev/null) && break
    # A token that was made just now may not be known yet, but soon is.
    case $said in *Unauthorized* | *"must be logged in"* | *"provide credentials"*) refused=$((refused + 1)) ;; esac
    [ "$refused" -lt 6 ] && [ "$(date +%s)" -lt "$ends" ] || break
    sleep 1
done
rm -f "$home/reach.conf"
[ -n "$said" ] || exit 0
said=$(echo "$said" | tail -n 1 | sed 's/^Unable to connect to the server: //')
case $said in
*Unauthorized* | *"must be logged in"* | *"provide credentials"* | *orbidden*)
    echo "the API server at $server does not take the token by which this host is to join: it has run out, or was taken away"
    echo "hint: run the same again: it makes a new one"
    ;;
*"not yet valid"* | *"has expired"*)
    echo "the API server's certificate is not believed, because of the clocks: $said"
    echo "hint: compare this host's clock with the manager's: timedatectl status"
    ;;
*x509:*)
    echo "what answers at $server is not this cluster's API server: $said"
    echo "hint: on the manager: sudo ss -ltnp sport = :6443"
    ;;
*)
    case $said in *deadline* | *imeout*) said="no answer within 30 s" ;; esac
    echo "the API server cannot be reached from this host at $server: $said"
    echo "hint: is there a firewall? here: sudo nft list ruleset; on the manager the same, and: sudo ss -ltnp"
    ;;
esac >&2
exit 1
