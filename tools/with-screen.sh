#!/bin/sh
# Runs a command with a screen to draw windows on: the real one, or one in memory.
set -eu
if [ "$(uname)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$@"
fi
if ! command -v xvfb-run >/dev/null; then
    echo "There is no screen here, and no xvfb-run to stand in for one. On Debian and Ubuntu:" >&2
    echo "    sudo apt-get install xvfb xauth" >&2
    exit 1
fi
exec xvfb-run -a "$@"
