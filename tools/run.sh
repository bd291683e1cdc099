#!/bin/sh
# Starts Turnscope from its .venv. Without arguments it opens the window, and needs a display.
set -eu

cd "$(dirname "$0")/.."
if [ "$#" -eq 0 ] && [ "$(uname -s)" = Linux ] && [ -z "${QT_QPA_PLATFORM:-}" ] &&
    [ -z "${DISPLAY:-}" ] && [ -z "${WAYLAND_DISPLAY:-}" ]; then
    echo "turnscope: there is no display to open a window on; without one, use the command line:" \
        ".venv/bin/turnscope run --agent demo --mic FILE --speaker none --record DIR" >&2
    exit 1
fi
exec .venv/bin/turnscope "$@"
