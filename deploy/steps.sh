# Sourced by quickstart.sh and test.sh: steps with their times, and the Debian packages that are
# missing.
# shellcheck shell=bash

say() { printf '\n== %s\n' "$*"; }

# step NAME COMMAND...: runs it and prints how long it took; the script ends with the first that
# fails.
step() {
  local name="$1" begin="$SECONDS"
  shift
  say "$name"
  "$@" || { printf '== FAILED: %s (%d s)\n' "$name" "$((SECONDS - begin))" >&2; exit 1; }
  printf -- '-- %s: %d s\n' "$name" "$((SECONDS - begin))"
}

install_packages() {
  local missing=() package
  while read -r package; do
    # A Node.js from elsewhere brings an npm of its own, with which Debian's conflicts.
    [ "$package" = npm ] && command -v npm > /dev/null && continue
    dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done < <(grep -v -e '^#' -e '^$' deploy/packages.txt)
  if [ "${#missing[@]}" -eq 0 ]; then
    echo "every package of deploy/packages.txt is there"
    return 0
  fi
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null ||
      { echo "to install ${missing[*]} this needs root or sudo" >&2; return 1; }
    root=(sudo)
  fi
  echo "installing: ${missing[*]}"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
  "${apt[@]}" update && "${apt[@]}" -y install --no-install-recommends "${missing[@]}"
}

# build PRESET [TARGET...]
build() {
  local preset="$1" targets=()
  shift
  [ "$#" -gt 0 ] && targets=(--target "$@")
  cmake --preset "$preset" > /dev/null &&
    cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}"
}
