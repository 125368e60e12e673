# end: every process that Slurm started on this host, and that outlives slurmd, is gone.
systemctl kill --signal=KILL slurmd.service 2>/dev/null
systemctl stop slurmstepd.scope 2>/dev/null
exit 0
