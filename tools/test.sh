#!/bin/sh
# Runs the tests: all of them in two halves at once, or those that the arguments name.
#
#   tools/test.sh [ARGUMENTS FOR PYTEST]
#
# Half of them wait for sound, which takes its own time, and leave the processors idle meanwhile.
# What only computes runs beside them then, and yields whenever they want to go on.
set -eu

cd "$(dirname "$0")/.."
python=.venv/bin/python
[ $# -eq 0 ] || exec "$python" -m pytest "$@"

said=$(mktemp)
nice -n 19 "$python" -m pytest -p no:cacheprovider -m patient >"$said" 2>&1 &
patient=$!
# Whatever fails in here would be the exit code: that they have ended already is no failure.
trap 'kill "$patient" 2>/dev/null || true; rm -f "$said"' EXIT
trap 'exit 130' INT TERM

failed=0
"$python" -m pytest -m "not patient" || failed=$?
echo "The tests that keep no time, which ran beside these:"
wait "$patient" || failed=$?
cat "$said"
exit "$failed"
