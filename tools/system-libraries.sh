#!/bin/sh
# Finds the libraries of Debian that a napari window needs, and installs those that are missing:
# as root with apt-get, announced; as another user it prints the command and goes on, because a
# desktop often has the same libraries from elsewhere. Does nothing on other systems.
set -eu
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

wanted="libgl1 libglx-mesa0 libegl1 libopengl0 libglib2.0-0 libdbus-1-3 libfontconfig1
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
    libxcb-render-util0 libxcb-shape0 libxcb-xfixes0 libxcb-xinerama0 libxcb-xinput0"
# Without a screen, windows are drawn in memory.
[ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || wanted="$wanted xvfb xauth"

installed() {
    # Newer releases add t64 to the names of some libraries.
    dpkg-query --show --showformat '${db:Status-Status}\n' "$1" "$1t64" 2>/dev/null |
        grep -q '^installed$'
}

missing=
for package in $wanted; do
    installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ]; then
    echo "System libraries seem to be missing. If napari does not start, run:"
    echo "    sudo $install"
    exit 0
fi
echo "Installing system libraries: apt-get update && $install"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # one word a package
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } </dev/null
then
    echo "They could not be installed. If napari does not start, run the line above by hand." >&2
fi
