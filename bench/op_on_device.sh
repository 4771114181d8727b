#!/usr/bin/env bash
# `nongemm op` on a GPU machine that has torch (with CUDA) for Python and what carry.sh gathered. Results go to $OUT (or ./gpu-results).
#   bench/op_on_device.sh [step...]      steps: one sweep layouts caches bare again preset replay; flows wants NONGEMM_ORT, and
#                                        tensorrt what tensorrt_on_device.sh sets up
# What must be seen stands beside each step; a step that misses it fails, the next one begins all the same.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh
out+=/op
mkdir -p "$out"
op() { "${ours[@]}" "$carry/bin/nongemm" op "$@"; }
nongemm() { "${ours[@]}" "$carry/bin/nongemm" "$@"; }
check() { "$python" bench/op_check.py "$@"; }

# All of them: kernel records (not wall times), more than 0 kernels, a limit.
one() {
  op layer_norm --shape 1x2048x4096 --dtype fp16 --device cuda --output "$out/one" || return
  check device "$out/one/report.json"
}
sweep() {
  op softmax --shape '1x12x{128..2048*2}x1024' --dtype fp32,fp16,bf16 --device cuda --output "$out/sweep" || return
  check device "$out/sweep/report.json"
}
layouts() {
  op relu --shape 8x64x112x112 --layout contiguous,channels-last,transposed --dtype fp16 --device cuda --output "$out/layouts" || return
  check device "$out/layouts/report.json"
}
# A tensor that fits the L2 cache: cold takes longer than hot.
caches() {
  op mul --shape 1x2048x1024 --dtype fp16 --device cuda --cache hot,cold --output "$out/caches" || return
  check device "$out/caches/report.json" && check cold "$out/caches/report.json"
}
# Bare loops of the same calls in Python between CUDA events: at least 90 % of what they show.
bare() {
  local points=(layer_norm/1x2048x4096 add/4096x4096 gelu/1x2048x4096 softmax/1x12x1024x1024)
  local status=0
  for point in "${points[@]}"; do
    op "${point%/*}" --shape "${point#*/}" --dtype fp16 --device cuda --no-limits --output "$out/bare" > /dev/null || { status=1; continue; }
    check bare "$out/bare/report.json" || status=1
  done
  return $status
}
# Medians of two runs differ by less than 5 %.
again() {
  for run in a b; do
    op layer_norm --shape '1x{128..8192*4}x4096' --dtype fp16 --device cuda --no-limits --output "$out/again-$run" > /dev/null || return
  done
  check same "$out/again-a/report.json" "$out/again-b/report.json"
}
preset() {
  op --preset gpt2 --dtype fp16 --device cuda --max-seconds 0.3 --output "$out/preset" | tail -n 60
  check device "$out/preset/report.json"
}
# Every distinct call beside its time in the model; launch gaps are told.
replay() {
  nongemm run gpt2 --device cuda --dtype fp16 --max-seconds 2 --output "$out/run" > "$out/run.txt" || return
  op --from "$out/run/report.json" --max-seconds 0.3 --output "$out/replay" > "$out/replay.txt" || { tail -n 20 "$out/replay.txt"; return 1; }
  sed -n '/Other than/,$p' "$out/replay.txt" | head -n 40
  check replay "$out/replay/report.json"
}
flows() { op layer_norm --shape 1x2048x4096 --dtype fp16 --device cuda --flow torch,ort --output "$out/flows"; }
tensorrt() { op layer_norm --shape 1x2048x4096 --dtype fp16 --device cuda --flow torch,tensorrt --output "$out/tensorrt"; }

[[ $# -gt 0 ]] || set -- one sweep layouts caches bare again preset replay
run_steps "$@"
