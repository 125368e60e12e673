# Let pods run on node $1 again, if it was bramble that moved them away: do it, or ("check", as $0) look whether it is so.
. ./kubectl.sh
found=$(kubectl get node "$1" --output 'jsonpath={.metadata.annotations.bramble\.invalid/upgrading}') || exit 1
if [ "$0" = check ]; then
    [ -z "$found" ]
    exit
fi
case $found in
*-cordoned) ;; # by somebody, so it stays so
*) kubectl uncordon "$1" || exit 1 ;;
esac
kubectl annotate node "$1" bramble.invalid/upgrading-
