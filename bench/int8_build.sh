#!/usr/bin/env bash
# Compiles bench/int8_kernels.cu and the kernels for Hopper into build/int8/int8_kernels; CUTLASS names a folder with its
# headers. Needs nothing but nvcc and the repository.
#   CUTLASS=... bench/int8_build.sh
set -euo pipefail
cd "$(dirname "$0")/.."
nvcc=${NVCC:-nvcc}
mkdir -p build/int8
rm -f build/int8/*.o
compile() {
  "$nvcc" -std=c++20 -O3 -DNDEBUG -gencode arch=compute_90a,code=sm_90a --expt-relaxed-constexpr -diag-suppress 2908 \
    "-DNONGEMM_SM90_INTERFACE=\"bench\"" -Isrc -I"$CUTLASS" -Xptxas -v -c "$1" -o "build/int8/$(basename "$1" .cu).o" 2> "build/int8/$(basename "$1").log" ||
    { cat "build/int8/$(basename "$1").log"; return 1; }
}
jobs=()
for source in src/flows/cuda/int8_{rows,outliers,product,product_sm90}.cu bench/int8_kernels.cu; do
  compile "$source" &
  jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done
"$nvcc" -std=c++20 -cudart static build/int8/*.o src/base/{error,text}.cpp -Isrc -ldl -lcuda -o build/int8/int8_kernels \
  -L"$(dirname "$(dirname "$(command -v "$nvcc")")")/lib64/stubs"
