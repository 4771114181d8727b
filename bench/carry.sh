#!/usr/bin/env bash
# Gathers what on_device.sh needs from a build folder into .carry/: stripped programs and modules.
#   bench/carry.sh [build/release]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
cmake --build "$build" --target runtime # where no driver is, ./nongemm leaves out what CUDA devices need
rm -rf .carry
mkdir -p .carry/bin .carry/lib/nongemm .carry/tests
strip -o .carry/bin/nongemm "$build/bin/nongemm"
[[ ! -e $build/bin/timeline_dump ]] || strip -o .carry/bin/timeline_dump "$build/bin/timeline_dump"
for module in "$build"/lib/nongemm/*.so; do
  strip --strip-unneeded -o ".carry/lib/nongemm/$(basename "$module")" "$module"
done
for library in "$build"/lib/nongemm/examples/*.so; do
  [[ -e $library ]] || continue
  mkdir -p .carry/lib/nongemm/examples
  strip --strip-unneeded -o ".carry/lib/nongemm/examples/$(basename "$library")" "$library"
done
for test in torch_cuda_test operators_test; do
  [[ ! -e $build/tests/$test ]] || strip -o ".carry/tests/$test" "$build/tests/$test"
done
# The program's own dependencies that a bare machine may lack; never the C library, LibTorch or CUDA.
mkdir -p .carry/lib/system
for file in .carry/bin/nongemm .carry/tests/* .carry/lib/nongemm/*.so; do
  [[ -e $file ]] || continue
  ldd "$file" 2>/dev/null | awk '$3 ~ /^\// {print $3}'
done | sort -u | { grep -Ev '/(libc|libm|libdl|librt|libutil|libresolv|libpthread|libstdc\+\+|libgcc_s|ld-linux[^/]*)\.so' || true; } |
  { grep -Ev 'libtorch|libc10|libcud|libcupti|libnv|libgomp|libcublas|libcusp|libcufft|libcurand|libnccl' || true; } |
  while read -r library; do cp -L "$library" .carry/lib/system/; done
du -sh .carry
