# Whether the deployment $2 in the namespace $1 is at work; says what its pods wait for.
. ./kubectl.sh
state=$(kubectl --namespace "$1" get deployment "$2" --output 'jsonpath={.status.conditions[?(@.type=="Available")].status}') || exit 1
[ "$state" = True ] && exit 0
kubectl --namespace "$1" get pods --no-headers | grep "^$2-" | awk '{ print "the pod " $1 " is " $3 ", " $2 " ready" }'
exit 1
