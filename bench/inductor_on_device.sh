#!/usr/bin/env bash
# The inductor flow beside torch.compile in Python, on a GPU machine that has torch 2.11 (with CUDA and Triton) for Python and
# nothing of this project but what carry.sh gathered. Results go to $OUT (or ./gpu-results).
#   bench/inductor_on_device.sh [STEP...]      steps: info programs fill run reference goals large graph
# MODELS and DTYPE may be set. Compiled packages stay in $CACHE for the next call.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh
mkdir -p "$out/programs"
read -ra models <<< "${MODELS:-gpt2 bert swin-t vit-b}"
dtype=${DTYPE:-fp16}
libraries=$(dirname "$torch_cuda")
export XDG_CACHE_HOME=${CACHE:-/tmp/nongemm-cache}
mkdir -p "$XDG_CACHE_HOME"
# Python and the compilers that it starts are this machine's: our libraries are none of theirs.
printf '#!/bin/sh\nexec env -u LD_LIBRARY_PATH -u CC -u CXX "%s" "$@"\n' "$(command -v "$python")" > "$XDG_CACHE_HOME/python"
chmod +x "$XDG_CACHE_HOME/python"
export NONGEMM_PYTHON=$XDG_CACHE_HOME/python
# An installation of torch without its headers gets them from carry.sh's neighbour:
#   tar -C .deps/torch -cJf .carry/include.tar.xz include
if [[ ! -e $(dirname "$libraries")/include/torch/csrc/inductor/aoti_runtime/model.h && -e $carry/include.tar.xz ]]; then
  tar -C "$XDG_CACHE_HOME" -xJf "$carry/include.tar.xz"
  export CPATH=$XDG_CACHE_HOME/include:$XDG_CACHE_HOME/include/torch/csrc/api/include
fi
# A compiler that the machine names for other purposes breaks what Inductor links.
nongemm() { env -u CC -u CXX "${ours[@]}" "$carry/bin/nongemm" "$@"; }

info() {
  nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm --format=csv,noheader
  "$python" -c 'import torch; print("torch", torch.__version__, torch.version.cuda); import triton; print("triton", triton.__version__)'
  env -u CC -u CXX g++ --version | head -n 1
  ls "$(dirname "$libraries")/include/torch/csrc/inductor/aoti_runtime/model.h" || echo "no headers of torch; CPATH=${CPATH:-}"
  nongemm list flows
}
programs() {
  local model missed=0
  for model in "${models[@]}"; do nongemm export "$model" "$out/programs/$model.pt2" --dtype "$dtype" || missed=1; done
  return $missed
}
# Compiles everything at once, ours and Python's, so that the steps that measure find it made. Its times are worth nothing.
fill() {
  local model
  for model in "${models[@]}"; do
    nongemm run "$model" --flow inductor --device cuda --dtype "$dtype" --no-limits --iterations 1 --warmup 1 > "$out/fill-$model.txt" 2>&1 &
    "$NONGEMM_PYTHON" bench/inductor_reference.py "$out/programs" --only "$model" --iterations 1 --warmup 1 \
      --output "$XDG_CACHE_HOME/$model.json" > /dev/null 2>&1 &
  done
  wait
}
run() {
  nongemm run "${models[@]}" --flow torch,inductor --device cuda --dtype "$dtype" --check --no-limits --max-seconds 3 --details \
    --format json,table --output "$out/run" > "$out/run.txt" 2>&1
  local status=$?
  grep -E 'flow=|Latency \(median\)|Non-GEMM|Fusion rate|Time mapped|Largest|unsupported|failed|error' "$out/run.txt" | cut -c1-200
  cp "$XDG_CACHE_HOME"/nongemm/inductor/*.log "$out/" 2> /dev/null
  return $status
}
reference() {
  "$NONGEMM_PYTHON" bench/inductor_reference.py "$out/programs" --output "$out/reference.json" 2> "$out/reference.log"
}
goals() { "$python" bench/inductor_goals.py "$out/run/report.json" "$out/reference.json" | tee "$out/goals.txt"; return "${PIPESTATUS[0]}"; }
large() {
  nongemm run llama3-8b --flow torch,inductor --device cuda --dtype fp16 --seq-len 2048 --check --no-limits --max-seconds 3 --details \
    --format json,table --output "$out/large" > "$out/large.txt" 2>&1
  local status=$?
  grep -E 'flow=|Latency \(median\)|Fusion rate|Time mapped|unsupported|failed|error' "$out/large.txt" | cut -c1-200
  return $status
}
graph() {
  nongemm run "${models[@]}" --flow torch,inductor --device cuda --dtype "$dtype" --cuda-graph --no-limits --max-seconds 2 \
    --format json --output "$out/graph" | tail -n 40
}

[[ $# -gt 0 ]] || set -- info programs fill run reference goals
trap 'rm -rf "$out/programs"' EXIT
run_steps "$@"
