#!/usr/bin/env bash
# Unpacks the Debian packages that tests/gpu/run.sh needs into build/gpu-packages, so that they can
# be carried to a machine that cannot install any. Run it on a Debian 12 machine; nothing is
# installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=(libtbb-dev libtbb12 libtbbmalloc2 libtbbbind-2-5 libhwloc15
  libgtest-dev libgmock-dev googletest libabsl-dev libabsl20220623
  libxxhash-dev libxxhash0)
folder=build/gpu-packages
downloads=build/gpu-downloads
mkdir -p "$folder" "$downloads"
echo "downloading ${packages[*]}"
(cd "$downloads" && apt-get download -qq "${packages[@]}")
for package in "$downloads"/*.deb; do
  dpkg-deb -x "$package" "$folder"
done
rm -rf "$folder/usr/share/doc" "$folder/usr/src"
echo "$folder: $(du -sm "$folder" | cut -f1) MB"
