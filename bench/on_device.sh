#!/usr/bin/env bash
# The check list on a GPU machine that has torch (with CUDA) installed for Python and nothing of this project but what
# carry.sh gathered. Results go to $OUT (or ./gpu-results). Steps are independent: a failed one is told and the next begins.
#   bench/on_device.sh [step...]      steps: info tests run memory batch graph large ort ort_large ort_check reference compare turns
# The ort steps want a folder with onnxruntime-gpu's libraries in NONGEMM_ORT.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh

info() {
  nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,power.draw --format=csv,noheader
  echo "torch: $torch_cuda"
  "${ours[@]}" "$carry/bin/nongemm" list devices
  "${ours[@]}" "$carry/bin/nongemm" list flows
}
tests() {
  local status=0 test
  for test in torch_cuda_test operators_test; do "${ours[@]}" "$carry/tests/$test" --gtest_brief=1 || status=1; done
  return $status
}
read -ra models <<< "${MODELS:-gpt2 swin-t vit-b bert detr}"
run() {
  "${ours[@]}" "$carry/bin/nongemm" run "${models[@]}" --device cuda --dtype fp16 --max-seconds 3 --format table,json \
    --output "$out/run" > "$out/run.txt" 2>&1
  local status=$?
  grep -E '^[a-z0-9.-]+ +flow=|Latency \(median\)|GEMM|Device|Node pass|Peak|unsupported|failed|error' "$out/run.txt" | head -n 120
  return $status
}
# fp32 as PyTorch runs it by default: peak memory within 3 % of torch.cuda.max_memory_allocated().
memory() {
  local missed=0 batch
  "${ours[@]}" "$carry/bin/nongemm" run fasterrcnn maskformer --batch 1,8 --device cuda --max-seconds 1 --no-limits \
    --format json --output "$out/memory" > "$out/memory.txt" 2>&1 || missed=1
  for batch in 1 8; do
    "$python" bench/gpu_reference.py --dtype fp32 --batch "$batch" --iterations 10 --warmup 5 --output "$out/memory-$batch.json" \
      fasterrcnn maskformer > /dev/null
    "$python" bench/compare_memory.py "$out/memory/report.json" "$out/memory-$batch.json" || missed=1
  done
  return $missed
}
batch() {
  "${ours[@]}" "$carry/bin/nongemm" run vit-b swin-t --device cuda --dtype fp16 --batch 8 --max-seconds 2 \
    --format json --output "$out/batch" | tail -n 30
}
graph() {
  "${ours[@]}" "$carry/bin/nongemm" run "${models[@]}" --device cuda --dtype fp16 --cuda-graph --max-seconds 2 \
    --format json --output "$out/graph" | tail -n 60
}
large() {
  "${ours[@]}" "$carry/bin/nongemm" run gpt2-xl llama2-7b --device cuda --dtype fp16 --max-seconds 3 --iterations 10 \
    --format json --output "$out/large" | grep -E 'flow=|Latency|Node pass|Peak|memory' | head -n 40
  "${ours[@]}" "$carry/bin/nongemm" run llama3-8b --device cuda --dtype fp16 --seq-len 8192 --iterations 5 \
    --format json --output "$out/large8k" | grep -E 'flow=|Latency|Node pass|Peak|memory' | head -n 20
}
flows() {  # flows NAME DTYPE model...
  local name=$1 dtype=$2
  shift 2
  "${ours[@]}" "$carry/bin/nongemm" run "$@" --device cuda --dtype "$dtype" --flow torch,ort --check --no-limits \
    --max-seconds 1 --format json --output "$out/$name" > "$out/$name.txt" 2>&1
  local status=$?
  grep -E 'flow=|Latency \(median\)|Node pass|Kernel|Fusion rate|mapped|Copies|Largest|logits|unsupported|failed|^ +ort|^ +torch' \
    "$out/$name.txt" | cut -c1-160
  return $status
}
ort() { flows ort fp16 gpt2 bert vit-b swin-t segformer detr gpt2-xl; }
ort_large() { flows ort_large fp16 llama2-7b; }
# Outputs and mapping alone, in the type whose bound is promised and in the one that is used: some two minutes.
ort_check() {
  local models=(gpt2 bert vit-b swin-t segformer detr) missed=0
  flows ort_check_fp32 fp32 "${models[@]}" > /dev/null || missed=1
  flows ort_check_fp16 fp16 "${models[@]}" > /dev/null || missed=1
  "$python" bench/ort_goals.py "$out/ort_check_fp32/report.json" "$out/ort_check_fp16/report.json" | tee "$out/ort_check.txt" || missed=1
  return $missed
}
reference() {
  "$python" bench/gpu_reference.py --dtype fp16 --output "$out/reference.json" "${models[@]}"
}
turns() {
  local missed=0
  for mode in no_grad inference_mode; do
    LD_LIBRARY_PATH="$paths:${LD_LIBRARY_PATH:-}:$carry/lib/system" "$python" bench/turns.py "${models[@]}" --nongemm "$carry/bin/nongemm" \
      --device cuda --dtype fp16 --mode $mode --iterations 30 --warmup 10 --goal 2 --output "$out/turns-$mode.json" || missed=1
  done
  return $missed
}
compare() { "$python" bench/compare_gpu.py "$out/run/report.json" "$out/reference.json" | tee "$out/compare.txt"; return "${PIPESTATUS[0]}"; }

[[ $# -gt 0 ]] || set -- info tests run reference compare turns
run_steps "$@"
