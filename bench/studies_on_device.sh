#!/usr/bin/env bash
# The studies on a GPU machine that has torch (with CUDA) for Python and what carry.sh gathered. Each study's compact report
# goes to $OUT/STUDY/report.json (or ./gpu-results/studies); docs/results/data/ takes them from there.
#   bench/studies_on_device.sh [step...]   steps: acceleration launch (the default, some 4 minutes), quantization scaling runtimes
#                                          fusion cpu
# A step ends by itself after its time (TIME_acceleration=150, in seconds) with what it has. runtimes, fusion and launch take
# every flow that can be loaded: NONGEMM_ORT names onnxruntime-gpu's folder, what TensorRT needs is set up by tensorrt_on_device.sh.
# headroom and dominant-operators are made from acceleration's report, operators needs no device.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh
out+=/studies
mkdir -p "$out"
# Journals hold every node of every point and stay on that machine.
journals=$(mktemp -d)
trap 'rm -rf "$journals"' EXIT

# The paper's first, then the registry's others by size, so that time runs out at those that are least missed.
models=vit-b,vit-l,vit-h,swin-t,swin-s,swin-b,fasterrcnn,maskrcnn,detr,maskformer,segformer,gpt2,gpt2-large,gpt2-xl,llama2-7b,bert
models+=,llama3-8b,qwen3-8b,mistral-7b,phi3-mini,gemma3-4b,gemma2-2b,llama3.2-1b,qwen3-0.6b,gpt-oss-20b,modernbert-base,roberta-base,mpnet-base
models+=,t5-base-encoder,convnext-tiny,resnet50,dinov2-base,siglip-base,clip-vit-l,whisper-small,sd15-unet,sdxl-unet,segformer-b5,bert-large
models+=,minilm-l6,bge-base,electra-base,xlm-r-base,t5-small-encoder,dinov2-large,siglip-so400m,whisper-large-v3,qwen2-7b,gemma3-1b,qwen3-4b,qwen3-1.7b
models+=,gemma2-9b,t5-xxl-encoder,flux-schnell,qwen2.5-14b,modernbert-large,convnext-base,vit-base-hf

study() {  # study NAME SECONDS option...
  local name=$1 most=$2
  shift 2
  local words=("$@") status
  timeout -s INT "$most" "${ours[@]}" "$carry/bin/nongemm" study "$name" \
    "${words[@]}" --journal "$journals/$name.jsonl" --resume --output "$out/$name" > "$out/$name.txt" 2>&1
  status=$?
  # 124 and 130: the time was up, and what was measured is there.
  [[ $status -eq 124 || $status -eq 130 ]] && status=0
  [[ -s $out/$name/report.json ]] || status=1
  tail -n 3 "$out/$name.txt"
  return $status
}
acceleration() { study acceleration "${TIME_acceleration:-150}" --device cuda --batch 1 --max-seconds 0.4 --model "$models"; }
launch() { study launch "${TIME_launch:-75}" --device cuda --max-seconds 0.4; }
quantization() { study quantization "${TIME_quantization:-120}" --device cuda --seq-len 512,2048,8192 --max-seconds 1; }
scaling() { study scaling "${TIME_scaling:-150}" --device cuda --max-seconds 0.4; }
runtimes() { study runtimes "${TIME_runtimes:-240}" --device cuda --max-seconds 1; }
fusion() { study fusion "${TIME_fusion:-300}" --device cuda --max-seconds 1; }
# The paper's models on this machine's host, beside the GPU's: its report is put to acceleration's by --from.
cpu() {
  mkdir -p "$out/cpu"
  timeout -s INT "${TIME_cpu:-120}" env "LD_LIBRARY_PATH=$paths:${LD_LIBRARY_PATH:-}:$carry/lib/system" "$carry/bin/nongemm" study \
    acceleration --device cpu --batch 1 --max-seconds 0.5 --journal "$journals/cpu.jsonl" --resume --output "$out/cpu" > "$out/cpu.txt" 2>&1
  [[ -s $out/cpu/report.json ]]
}

[[ $# -gt 0 ]] || set -- acceleration launch
run_steps "$@"
