#!/usr/bin/env bash
# Builds the kernels and their tests with nvcc and runs them: host against device, byte for byte,
# with a table of times.
#   tests/gpu/run.sh [OUTPUT_FOLDER]
# Needs nvcc (PATH or /usr/local/cuda/bin), CMake 3.25, ninja, a C++20 compiler, and either Debian's
# packages installed or build/gpu-packages from tests/gpu/pack.sh. Exit codes: 0 all equal, 1 a test
# failed or the build did, 77 there is no device.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/local/cuda/bin"
build=build/gpu-tests
packages="$PWD/build/gpu-packages/usr"
prefix=()
if [ -d "$packages" ]; then
  prefix=("-DCMAKE_PREFIX_PATH=$packages;$packages/lib/x86_64-linux-gnu")
  export LD_LIBRARY_PATH="$packages/lib/x86_64-linux-gnu:${LD_LIBRARY_PATH:-}"
fi
architectures=${WEFT_CUDA_ARCHITECTURES:-80-real;90}
echo "building the kernels and their tests with $(nvcc --version | tail -n 1)"
cmake -S tests/gpu -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  "-DCMAKE_CUDA_ARCHITECTURES=$architectures" "${prefix[@]}"
cmake --build "$build" --target device_test
status=0
"$build/device_test" --require-device | tee "$build/result.txt" || status=$?
[ $# -gt 0 ] && cp "$build/result.txt" "$1/"
exit "$status"
