#!/usr/bin/env bash
# install.sh BINARY [PREFIX]: puts the program, its icons and its entry for the desktop below PREFIX, ~/.local where it is
# left out. install.sh --remove [PREFIX] takes them away again. Settings and torrents are never touched.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
assets=$here/../../assets
what=${1:?usage: install.sh BINARY|--remove [PREFIX]}
prefix=${2:-$HOME/.local}
applications=$prefix/share/applications
icons=$prefix/share/icons/hicolor
metainfo=$prefix/share/metainfo

if [ "$what" = --remove ]; then
    rm -f "$prefix/bin/fyris" "$applications/fyris.desktop" "$metainfo/fyris.metainfo.xml"
    rm -f "$icons"/*/apps/fyris.png "$icons/scalable/apps/fyris.svg"
else
    install -D -m 755 "$what" "$prefix/bin/fyris"
    install -D -m 644 "$here/fyris.desktop" "$applications/fyris.desktop"
    install -D -m 644 "$here/fyris.metainfo.xml" "$metainfo/fyris.metainfo.xml"
    install -D -m 644 "$assets/icon.svg" "$icons/scalable/apps/fyris.svg"
    for size in 16 32 48 64 128 256 512; do
        install -D -m 644 "$assets/icon-$size.png" "$icons/${size}x$size/apps/fyris.png"
    done
fi

# Desktops that have no such cache look for themselves.
if command -v update-desktop-database >/dev/null; then
    update-desktop-database -q "$applications" || true
fi
if [ "$what" != --remove ] && ! command -v fyris >/dev/null; then
    echo "$prefix/bin is not in PATH: the entry in the menu needs it there"
fi
