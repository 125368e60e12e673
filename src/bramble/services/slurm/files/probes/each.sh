# each QUEUE:NODE...: a job on each node by itself, all at once. Prints the names of those that answered.
#
# The job opens a credential that was sealed here, and seals one that is opened here: the key is the same both ways.
sealed=$(munge --no-input) || exit 1
for place; do
    srun --job-name=bramble-verify --chdir=/ --immediate=30 --mem=16 --ntasks=1 \
        --partition="${place%%:*}" --nodelist="${place#*:}" \
        sh -c 'printf %s "$1" | unmunge >/dev/null && echo "$(uname -n) $(munge --no-input)"' sh "$sealed" </dev/null |
        while read -r name answer; do printf %s "$answer" | unmunge >/dev/null && echo "$name"; done &
done
wait
