#!/usr/bin/env bash
# LLM.int8 on a GPU machine, over what carry.sh gathered (with the Hopper library and build/int8/int8_kernels in it where they
# were built): the kernels alone, the operators against the CPU, Llama 3 8B in all three ways, and bitsandbytes' own layers
# in the same model where its package lies in
# .carry/python (the wheel unpacked). Results go to $OUT.
#   bench/quantization_on_device.sh [step...]      steps: kernels tests ways reference
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh

kernels() { LD_LIBRARY_PATH=$paths "$carry/bin/int8_kernels" | tee "$out/int8_kernels.txt"; return "${PIPESTATUS[0]}"; }
lengths=${LENGTHS:-512,1024,2048,4096,8192}
columns=${OUTLIER_COLUMNS:-0}  # of normalized activations: random weights make none, training makes a handful
ways() {
  local way missed=0
  for way in ${WAYS:-published decomposed fused}; do
    "${ours[@]}" "$carry/bin/nongemm" run llama3-8b --quantize llm.int8 --set quantize.way="$way" --seq-len "$lengths" \
      --outlier-columns "$columns" --dtype fp16 --device cuda --max-seconds 1 --format json,md --output "$out/$way" \
      > "$out/$way.txt" 2>&1 || missed=1
    tail -n 30 "$out/$way.txt"
  done
  return $missed
}
reference() {
  env -u CC -u CXX "PYTHONPATH=$carry/python" "$python" bench/quantization_reference.py --seq-len "$lengths" \
    --outlier-columns "$columns" --output "$out/bitsandbytes.json"
}

tests() { "${ours[@]}" "$carry/tests/operators_test" --gtest_brief=1; }

[[ $# -gt 0 ]] || set -- kernels tests ways reference
run_steps "$@"
