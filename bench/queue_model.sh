#!/usr/bin/env bash
# The queue model on a GPU machine that has torch (with CUDA) for Python and nothing of this project but .carry (carry.sh):
# how far reconstructed latencies, kernels' begins and gaps are from measured ones, shares of idle time from two halves and
# from two runs, and whether a known delay is told as what it is. About three minutes; results go to $OUT.
#   bench/queue_model.sh [step...]      steps: models large again delay timelines
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh

nongemm() {  # nongemm NAME argument...
  local name=$1
  shift
  "${ours[@]}" timeout 150 "$carry/bin/nongemm" run "$@" --device cuda --dtype fp16 --format json --output "$out/$name" > "$out/$name.txt" 2>&1 ||
    { echo "$name FAILED ($?)"; tail -n 5 "$out/$name.txt"; return 1; }
}
small=(vit-b swin-t gpt2 bert detr segformer)
models() { nongemm models "${small[@]}" --batch 1,8 --max-seconds 1 --no-limits && "$python" bench/queue_table.py figures "$out/models/report.json"; }
large() { nongemm large llama3-8b --seq-len 512 --max-seconds 2 && "$python" bench/queue_table.py figures "$out/large/report.json" --limits; }
again() {
  nongemm again "${small[@]}" --max-seconds 1 --no-limits && "$python" bench/queue_table.py apart "$out/models/report.json" "$out/again/report.json"
}
delay() {  # of every second call, so that delayed calls and others are of the same inferences
  local library=$carry/lib/nongemm/examples/libexample_delayed_gelu.so
  export EXAMPLE_EVERY=2
  nongemm delay-none swin-t vit-b --max-seconds 1 --no-limits --load-library "$library" &&
    EXAMPLE_HOST_US=50 nongemm delay-host swin-t vit-b --max-seconds 1 --no-limits --load-library "$library" &&
    EXAMPLE_DEVICE_US=50 nongemm delay-device swin-t vit-b --max-seconds 1 --no-limits --load-library "$library" &&
    "$python" bench/queue_table.py delay "$out/delay-none/report.json" "$out/delay-host/report.json" "$out/delay-device/report.json"
}
timelines() {  # for work away from the device
  local work
  work=$(mktemp -d)
  "${ours[@]}" timeout 60 "$carry/bin/timeline_dump" "$work/probe.txt" probe
  cat "$work/probe.txt"
  for model in ${MODELS:-vit-b}; do "${ours[@]}" timeout 60 "$carry/bin/timeline_dump" "$work/$model-8.txt" "$model" 8 0 fp16 1; done
  tar czf "$out/timelines.tgz" -C "$work" .
}

[[ $# -gt 0 ]] || set -- models large again delay timelines
# What was asked for beside the figures: reports are large and stay behind.
trap 'find "$out" -name report.json -size +4M -delete' EXIT
run_steps "$@"
