#!/usr/bin/env bash
# Tensor parallel on a machine with two GPUs that has torch and transformers for Python and nothing of this project but
# what carry.sh gathered. Results go to $OUT (or ./gpu-results).
#   bench/tensor_parallel.sh [step...]     steps: info verify op run generate delay reference table traces
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh
model=${MODEL:-llama3-8b}
tokens=${TOKENS:-512,2048,8192}
# Containers forbid NVLink multicast, and NCCL ends where it tries it.
export NCCL_NVLS_ENABLE=0
program=("${ours[@]}" "$carry/bin/nongemm")

info() {
  nvidia-smi --query-gpu=index,name,driver_version --format=csv,noheader
  "${program[@]}" list devices
}
# Outputs of two ranks against folders with references, in fp32 and fp16, and generated tokens.
verify() {
  local folder status=0
  for folder in ${FIXTURES:-../shared/fixtures}/numerics/{gpt2,llama,bert} ${FIXTURES:-../shared/fixtures}/families/{qwen3,mixtral,phi3}; do
    [[ -d $folder ]] || continue
    "${program[@]}" verify "$folder" --device cuda --tensor-parallel 2 --rank-timeout 120 || status=1
    "${program[@]}" verify "$folder" --against torch --device cuda --dtype fp16 --tensor-parallel 2 --rank-timeout 120 || status=1
  done
  for folder in ${FIXTURES:-../shared/fixtures}/generation/qwen3; do
    [[ -d $folder ]] || continue
    "${program[@]}" verify "$folder" --device cuda --tensor-parallel 2 --rank-timeout 120 || status=1
  done
  return $status
}
op() {
  "${program[@]}" op all_reduce all_gather_into_tensor reduce_scatter_tensor all_to_all_single --dtype fp16 --device cuda \
    --shape '{512,2048,8192,32768}x4096' --tensor-parallel 2 --format table,json --output "$out/tp-op"
}
run() {
  "${program[@]}" run "$model" --tensor-parallel 1,2 --device cuda --dtype fp16 --seq-len "$tokens" --cuda-graph --max-seconds 3 \
    --format table,json --output "$out/tp-run"
}
generate() {
  "${program[@]}" run "$model" --tensor-parallel 1,2 --device cuda --dtype fp16 --generate 32 --prompt 512 --cuda-graph --no-limits --max-seconds 3 \
    --format table,json --output "$out/tp-generate"
}
# 500 us of one rank's host in each SiLU: the other has to wait for it.
delay() {
  EXAMPLE_DELAY_RANK=1 EXAMPLE_DELAY_US=500 "${program[@]}" run "$model" --tensor-parallel 2 --device cuda --dtype fp16 --seq-len "${DELAY_TOKENS:-128,512}" \
    --load-library "$carry/lib/nongemm/examples/libexample_delayed_rank.so" --max-seconds 3 --no-limits --details --format table,json --output "$out/tp-delay"
}
# The same in Python: transformers' own plan, and torch.distributed's collectives of the same sizes.
reference() {
  "$python" -m torch.distributed.run --nproc-per-node 2 bench/tensor_parallel.py --tokens "$tokens" --output "$out/tp-python.json"
}
table() { "$python" bench/tensor_parallel.py --table "$out"; }
# What torch.profiler wrote of the reference's ranks, by ours.
traces() { "${program[@]}" analyze "$out"/rank0.json.gz "$out"/rank1.json.gz --format table,json --output "$out/tp-traces"; }

[[ $# -gt 0 ]] || set -- info verify op run generate delay reference table traces
run_steps "$@"
