#!/usr/bin/env bash
# Fuzzes the readers of untrusted files, each for some seconds, from the seeds in */corpus:
#   tools/fuzz.sh [SECONDS] [NAME...]     default: 20 seconds, those of SMALL
# What breaks a reader is left in build/fuzz/found/NAME; put it into the corpus once it is mended. Without a clang that has
# libFuzzer it says so and succeeds: the seeds are tests in every other build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Readers that need no more than themselves: quick to build.
SMALL=(zip_fuzz pickle_fuzz safetensors_fuzz pt2_archive_fuzz onnx_model_fuzz event_trace_fuzz nsys_fuzz nsys_rows_fuzz)

seconds=${1:-20}
[[ $# -le 1 ]] || SMALL=("${@:2}")
if ! echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
  clang++ -x c++ -fsanitize=fuzzer,address -o /dev/null - 2>/dev/null; then
  echo "fuzz: left out, there is no clang++ with libFuzzer here (Debian: clang and libclang-rt-dev)"
  exit 0
fi
cmake --preset fuzz >/dev/null
cmake --build build/fuzz --target "${SMALL[@]}" | tail -n 1
failed=0
for name in "${SMALL[@]}"; do
  seeds=$(find src tests -type d -path "*/corpus/$name")
  mkdir -p "build/fuzz/corpus/$name" "build/fuzz/found/$name"
  # Memory beyond what a file may ask for, and inputs that take long, are findings, too: half a second for the longest loop
  # that is unrolled is ten with sanitizers.
  if "build/fuzz/bin/$name" -max_total_time="$seconds" -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=30 -max_len=65536 \
    -print_final_stats=0 -verbosity=0 -artifact_prefix="build/fuzz/found/$name/" "build/fuzz/corpus/$name" "$seeds" \
    >"build/fuzz/found/$name.log" 2>&1; then
    echo "fuzz: $name found nothing in $seconds s"
  else
    tail -n 40 "build/fuzz/found/$name.log"
    echo "fuzz: $name FAILED, see build/fuzz/found/$name"
    failed=1
  fi
done
exit "$failed"
