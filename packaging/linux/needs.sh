#!/usr/bin/env bash
# needs.sh build|window|tests...: installs the Debian or Ubuntu packages that each of these lacks, and says nothing where
# all are there. Elsewhere it names them and goes on.
set -euo pipefail

build=(gcc libc6-dev)
# What eframe opens at run time; none of it is linked.
window=(
    libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 libxkbcommon-x11-0
    libwayland-client0 libwayland-cursor0 libwayland-egl1 libegl1 libgl1 libgl1-mesa-dri
    fontconfig fonts-dejavu-core xdg-utils
)
# The clients that ours is tried against, and a screen to try the window on.
tests=(
    python3 python3-venv iproute2 aria2 transmission-daemon qbittorrent-nox
    xvfb xdotool imagemagick mesa-vulkan-drivers
    # For the tracker: its page, its store, its certificate.
    chromium redis-server openssl
)

wanted=()
for need in "$@"; do
    case $need in
        build) wanted+=("${build[@]}") ;;
        window) wanted+=("${window[@]}") ;;
        tests) wanted+=("${tests[@]}") ;;
        *) echo "needs.sh: build, window or tests, not '$need'" >&2; exit 2 ;;
    esac
done

if ! command -v apt-get >/dev/null; then
    [ "$(uname)" != Linux ] || echo "no apt-get here; if something is missing, these are its names on Debian: ${wanted[*]}" >&2
    exit 0
fi
missing=()
for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "installing ${missing[*]}"
# Some of these are services; none of them is to be started because it was installed.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
install 2>/dev/null || { "${as_root[@]}" apt-get update -qq && install; }
