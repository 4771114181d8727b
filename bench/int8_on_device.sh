#!/usr/bin/env bash
# Compiles and runs bench/int8_kernels.cu on a machine with a Hopper GPU, nvcc and, for the comparison with fp16, cuBLAS.
# CUTLASS's headers are in .carry/cutlass.tgz, or CUTLASS names their folder. The compiler that such machines name in CC
# and CXX may be another one than nvcc wants.
cd "$(dirname "$0")/.." || exit
out=${OUT:-build/int8}
if [[ -z ${CUTLASS:-} ]]; then
  mkdir -p build/int8 && tar xzf .carry/cutlass.tgz -C build/int8 || exit
  export CUTLASS=$PWD/build/int8/cutlass
fi
env -u CC -u CXX bench/int8_build.sh || exit
cublas=$(find / -xdev -name 'libcublas.so.13' -not -path '/proc/*' 2>/dev/null | head -n 1)
grep -hE 'Used|spill' build/int8/*.log > "$out/registers.txt"
LD_LIBRARY_PATH=$(dirname "${cublas:-/}"):${LD_LIBRARY_PATH:-} build/int8/int8_kernels | tee "$out/int8_kernels.txt"
