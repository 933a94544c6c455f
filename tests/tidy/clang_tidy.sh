#!/usr/bin/env bash
# clang-tidy with the settings of .clang-tidy; exits with 1 if there is a finding.
#   tests/tidy/clang_tidy.sh           every source but the tests: 25 minutes of CPU
#   tests/tidy/clang_tidy.sh FILE...   these
# Needs the Debian package clang-tidy-14 and a built build/dev: the code that is made from protos.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d build/dev/generated ] ||
  { echo "expected build/dev/generated, got none: build the preset dev" >&2; exit 2; }
cmake --preset dev -B build/tidy -DWEFT_UNITY=OFF > /dev/null
# The precompiled headers of g++ mean nothing to clang.
sed -i -e 's/ -Winvalid-pch//; s/ -include [^ ]*cmake_pch.hxx//' \
  -e 's#build/tidy/generated#build/dev/generated#g' build/tidy/compile_commands.json
files=("$@")
if [ "$#" -eq 0 ]; then
  mapfile -t files < <(find graph gpu storage cache operators rpc deploy -name '*.cc' \
    ! -name '*_test.cc' ! -name '*_benchmark.cc' | sort)
fi
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-14 -p build/tidy --quiet \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unknown-pragmas
