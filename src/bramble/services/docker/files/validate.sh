# Let Docker read $1 without starting; versions before 23 cannot, and tell it when they start.
dockerd --help | grep -q -- --validate || exit 0
exec dockerd --validate --config-file "$1"
