#!/usr/bin/env bash
# TensorRT beside torch on a GPU machine that has torch for Python and nothing of this project but what carry.sh and
# carry_tensorrt.sh gathered. Results go to $OUT (or ./gpu-results).
#   bench/tensorrt_on_device.sh PARTS STEP...     steps: unpack smoke build measure verify collect
# MODELS, LEVEL (0 to 5) and DTYPE may be set.
set -uo pipefail
parts=$(realpath "${1:?folder with the parts}")
shift
cd "$(dirname "$0")/.." || exit
out=${OUT:-gpu-results}
mkdir -p "$out"
carry=$PWD/.carry
read -ra models <<< "${MODELS:-vit-b swin-t swin-b detr segformer gpt2 bert bench/llama-small}"
options=(--device cuda --dtype "${DTYPE:-fp16}" --set "tensorrt.level=${LEVEL:-1}" --set "tensorrt.export=$out/engines")

torch_cuda=$(python3 -c 'import torch, os; print(os.path.join(os.path.dirname(torch.__file__), "lib"))')
site=$(dirname "$(dirname "$torch_cuda")")
paths=$parts/lib:$parts/empty:$torch_cuda
for folder in "$site"/nvidia/*/lib; do [[ -d $folder ]] && paths+=:$folder; done
export NONGEMM_MODULES=$carry/lib/nongemm XDG_CACHE_HOME=$parts/cache
ours() { env "LD_LIBRARY_PATH=$paths:${LD_LIBRARY_PATH:-}:$carry/lib/system" "$carry/bin/nongemm" "$@"; }
chmod +x "$carry"/bin/* "$parts"/empty/zstd 2>/dev/null

unpack() {
  mkdir -p "$parts/lib" "$parts/cache/nongemm/tensorrt"
  cp "$carry"/times-*.cache "$parts/cache/nongemm/tensorrt/" 2> /dev/null
  cat "$parts"/part.* | LD_LIBRARY_PATH=$parts/empty "$parts/empty/zstd" -dcq --long=30 | tar -C "$parts/lib" -xf - && rm -f "$parts"/part.*
  ls -l "$parts/lib"
}

# The smallest engine there is shows whether libraries, parser, builder, inspector and tracing work together.
smoke() {
  ours list flows
  NONGEMM_TENSORRT_LOG=1 ours run bench/llama-small --seq-len 16 --flow tensorrt "${options[@]}" --iterations 5 --no-limits \
    > "$out/smoke.txt" 2> "$out/smoke.log"
  tail -n 5 "$out/smoke.log"
  head -n 70 "$out/smoke.txt"
}

# Two at a time: builders wait for each other on the GPU, and twelve at once took more than six times as long. Times taken
# meanwhile are worth nothing.
build() {
  local model
  for model in "${models[@]}"; do
    while [[ $(jobs -rp | wc -l) -ge ${BUILDERS:-2} ]]; do wait -n; done
    (
      begin=$SECONDS
      ours run "$model" --flow tensorrt "${options[@]}" --iterations 1 --warmup 1 --no-limits \
        > "$out/build-$(basename "$model").txt" 2>&1
      echo "built $model: status $?, $((SECONDS - begin)) s"
    ) &
  done
  wait
}

measure() {
  local model
  for model in "${models[@]}"; do
    ours run "$model" --flow torch,tensorrt "${options[@]}" --max-seconds "${SECONDS_EACH:-1.5}" --no-limits \
      --output "$out/$(basename "$model")" --format table,json > /dev/null 2> "$out/run-$(basename "$model").log"
    echo "== $model: status $?"
    grep -E 'flow=|Latency \(median\)|Fusion rate|Non-GEMM time|Time mapped|Inside|Excess|unsupported|failed' \
      "$out/$(basename "$model")/report.txt" 2> /dev/null | head -n 20
  done
}

# Times do not matter here: all at once again.
verify() {
  local model
  for model in "${models[@]}"; do
    ours verify "$model" --flow tensorrt --against torch "${options[@]}" > "$out/verify-$(basename "$model").txt" 2>&1 &
  done
  wait
  tail -qn 4 "$out"/verify-*.txt
}

# The times of the kernels that were tried are small and make the next machine's builds short: put them into .carry.
collect() {
  cp "$parts"/cache/nongemm/tensorrt/times-*.cache "$out/" 2> /dev/null
  tar -C "$out" -cJf "$out/../tensorrt-results.tar.xz" . && mv "$out/../tensorrt-results.tar.xz" "$out/"
  find "$out" -mindepth 1 ! -name tensorrt-results.tar.xz -delete 2>/dev/null
  ls -l "$out"
}

for name in "$@"; do
  begin=$SECONDS
  "$name"
  echo "== step $name took $((SECONDS - begin)) s"
done
