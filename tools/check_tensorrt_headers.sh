#!/usr/bin/env bash
# Compiles the TensorRT flow against the headers of other versions, without linking:
#   tools/check_tensorrt_headers.sh FOLDER...     each with NvInfer.h and NvOnnxParser.h
# CUDA's headers are those that the build folder was configured with (BUILD, default build/ci).
set -uo pipefail
cd "$(dirname "$0")/.." || exit
[[ $# -gt 0 ]] || { sed -n '2,4s/^# //p' "$0"; exit 2; }
cache=${BUILD:-build/ci}/CMakeCache.txt
[[ -e $cache ]] || { echo "$cache is missing: configure first"; exit 2; }
cuda=$(sed -n 's/^NONGEMM_CUDART_INCLUDE:[A-Z]*=//p' "$cache")
failed=0
for folder in "$@"; do
  version=$(printf '#include <NvInferVersion.h>\nNV_TENSORRT_MAJOR NV_TENSORRT_MINOR NV_TENSORRT_PATCH\n' |
    "${CXX:-g++}" -E -P -x c++ -I"$folder" - 2>/dev/null | tail -n 1 | tr ' ' '.')
  problems=0
  for source in src/flows/tensorrt/*.cpp; do
    [[ $source != *_test.cpp ]] || continue
    "${CXX:-g++}" -std=c++20 -fsyntax-only -Wall -Wextra -Werror -Isrc -isystem "$folder" -isystem "$cuda" "$source" ||
      problems=$((problems + 1))
  done
  echo "TensorRT ${version:-?} ($folder): $problems files with problems"
  failed=$((failed + problems))
done
exit $((failed > 0))
