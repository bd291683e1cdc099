#!/bin/sh
# Compiles requirements*.txt from the ranges in pyproject.toml: versions and hashes, nothing else.
#
# Versions that are there and still in range stay; tools/lock.sh --upgrade takes the newest.
# Settings of this machine (indexes, mirrors) are kept out, so that nothing of it is recorded.
set -eu

cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
for name in $(env | sed -n 's/^\(UV_[A-Z_]*\)=.*/\1/p'); do
    unset "$name"
done

compile() {
    output=$1
    shift
    "$uv" pip compile --quiet --no-config --universal --python-version 3.11 \
        --fork-strategy fewest --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
        --output-file "$output" "$@" >/dev/null
    echo "$output: $(grep -c '^[a-z]' "$output") packages"
}

compile requirements-build.txt --group pyproject.toml:build "$@"
compile requirements.txt pyproject.toml "$@"
compile requirements-dev.txt --extra dev --constraint requirements.txt pyproject.toml "$@"
