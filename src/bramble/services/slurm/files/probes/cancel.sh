# cancel: a job that would run for an hour is cancelled while it runs. Prints what became of it.
name="bramble-verify-$$"
srun --job-name="$name" --chdir=/ --immediate=30 --mem=16 --ntasks=1 sleep 3600 </dev/null &
trap 'scancel --quiet --name="$name"' EXIT
trap 'exit 143' TERM
until id=$(squeue --noheader --name="$name" --states=running --format=%i) && [ -n "$id" ]; do
    kill -0 $! || exit 1
    sleep 0.1
done
scancel "$id"
wait
while [ -n "$(squeue --noheader --jobs="$id" 2>/dev/null)" ]; do sleep 0.1; done
scontrol --oneliner show job "$id" | grep -o 'JobState=[A-Z]*'
