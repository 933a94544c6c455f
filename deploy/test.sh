#!/usr/bin/env bash
# Installs, builds and runs every test but the `long` ones, on a bare Debian 12, as root or with
# sudo.
#   deploy/test.sh          everything
#   deploy/test.sh quick    only the dev build and its tests
set -uo pipefail
cd "$(dirname "$0")/.."
source deploy/steps.sh

# What the sanitizers look at: tests that need no generated load of their own. The thread sanitizer
# has nothing to see in programs without a suite named *Threads*.
threaded=(graph_test storage_test cache_test gpu_test operators_link_test operators_test engine_test
  rpc_test)
sanitized=("${threaded[@]}" operators_io_test operators_learn_test operators_hierarchy_test
  operators_sequence_test)

asan() {
  build asan "${sanitized[@]}" &&
    ctest --preset asan -j "$(nproc)" -R "$(ctest_names asan "${sanitized[@]}")"
}

# A pattern of the tests that a preset's programs hold; others are not built and would count as
# failed.
ctest_names() {
  local preset="$1" program
  shift
  for program in "$@"; do
    find "build/$preset" -name "$program" -type f -executable -exec {} --gtest_list_tests \; |
      awk '/^[^ ]/ { suite = $1 } /^ / { print suite $1 }'
  done | sed 's/[.[\*^$/]/\\&/g' | paste -sd '|' | sed 's/^/^(/; s/$/)$/'
}

tsan() {
  build tsan "${threaded[@]}" || return 1
  local target program
  export TSAN_OPTIONS="suppressions=$PWD/tests/thread_sanitizer.suppressions"
  for target in "${threaded[@]}"; do
    program="$(find build/tsan -name "$target" -type f -executable)"
    "$program" --gtest_brief=1 --gtest_filter='*Threads*.*:-*Long*.*' || return 1
  done
}

cuda() {
  if ! command -v nvcc > /dev/null && [ ! -x /usr/local/cuda/bin/nvcc ]; then
    echo "no nvcc: SKIPPED"
    return 0
  fi
  build cuda weft_gpu weft_cache weft_operators_learn weft_operators_link tests_gpu_test || return 1
  tests/gpu/run.sh || [ $? = 77 ]  # 77: no device
}

step "packages" install_packages
step "dev build" build dev
step "tests" ctest --preset dev -j "$(nproc)"
[ "${1:-}" = quick ] && exit 0
step "address and undefined-behaviour sanitizers" asan
step "thread sanitizer" tsan
step "CUDA compile" cuda
step "fuzz corpus" ctest --preset dev -L fuzz
say "everything passed in $SECONDS s"
