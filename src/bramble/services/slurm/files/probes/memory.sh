# memory QUEUE:NODE...: a job on each node that may have 64 MiB and takes 160. Prints who began, and who got away.
program='
import os, time
name = os.uname().nodename
print(name, "began", flush=True)
taken = b"x" * (160 << 20)
time.sleep(20)  # where slurmd looks every 5 s, it has looked by then
print(name, "got away with it", flush=True)
'
for place; do
    srun --job-name=bramble-verify --chdir=/ --immediate=30 --mem=64 --ntasks=1 \
        --partition="${place%%:*}" --nodelist="${place#*:}" python3 -c "$program" </dev/null &
done
wait
