# end: every process that Slurm started on this host, and that outlives slurmd, is gone; so are its control groups.
systemctl kill --signal=KILL slurmd.service 2>/dev/null
systemctl stop slurmstepd.scope 2>/dev/null
for group in /sys/fs/cgroup/*/slurm /sys/fs/cgroup/*/slurm_"$(uname -n | cut -d. -f1)"; do
    # A group whose last process has just died is busy for some milliseconds more.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -d "$group" ] || break
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
    done
done
exit 0
