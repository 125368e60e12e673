# cancel: a job that would run for an hour is cancelled while it runs. Prints what became of it.
id=$(sbatch --parsable --job-name=bramble-verify --chdir=/ --mem=16 --output=/dev/null --wrap='exec sleep 3600') || exit 1
trap 'scancel --quiet "$id"' EXIT
trap 'exit 143' TERM
until squeue --noheader --jobs="$id" --format=%T | grep -q RUNNING; do sleep 0.1; done
scancel "$id"
while [ -n "$(squeue --noheader --jobs="$id" 2>/dev/null)" ]; do sleep 0.1; done
scontrol --oneliner show job "$id" | grep -o 'JobState=[A-Z]*'
