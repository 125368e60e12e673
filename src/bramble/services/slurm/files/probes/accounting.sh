# accounting: a job that ends with 7. Prints what the accounting knows of it.
id=$(sbatch --parsable --wait --job-name=bramble-verify --chdir=/ --mem=16 --output=/dev/null --wrap='exit 7')
until sacct --noheader --allocations --parsable2 --jobs="$id" --format=State,ExitCode | grep FAILED; do sleep 0.2; done
