# Whether pods of everybody run on the manager ($1) or not ($2): set it, or ("check", as $0) look.
. ./kubectl.sh
taint=node-role.kubernetes.io/control-plane
taints=$(kubectl get node "$1" --output 'jsonpath={.spec.taints[*].key}') || exit 1
case "$0 $2 $taints" in
"set yes "*) kubectl taint node "$1" $taint- ;;
"set no "*) kubectl taint node "$1" --overwrite $taint=:NoSchedule ;;
"check yes "*"$taint"*) exit 1 ;;
"check yes "*) exit 0 ;;
"check no "*"$taint"*) exit 0 ;;
*) exit 1 ;;
esac
