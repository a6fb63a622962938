#!/usr/bin/env bash
# bundle.sh BINARY FOLDER: makes FOLDER/Fyris.app of a program that was built on or for macOS.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?usage: bundle.sh BINARY FOLDER}
contents=${2:?usage: bundle.sh BINARY FOLDER}/Fyris.app/Contents

mkdir -p "$contents/MacOS" "$contents/Resources"
cp "$here/Info.plist" "$contents/Info.plist"
cp "$here/fyris.icns" "$contents/Resources/fyris.icns"
cp "$binary" "$contents/MacOS/fyris"
chmod 755 "$contents/MacOS/fyris"
