#!/usr/bin/env bash
# The project's own figures on the CPU, each a ratio measured in one run (make bench). Goals stand beside them; a missed goal is
# told, not hidden, and makes the exit code 1.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
nongemm=build/release/bin/nongemm
models=(gpt2 vit-b swin-t bert)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

status=0
# Set-up time counts everything but the inferences; 30 iterations make the overhead's median steady.
"$nongemm" run "${models[@]}" --iterations 30 --no-limits --format json --output "$out" > /dev/null 2>&1 || status=1
"$nongemm" run gpt2-xl --seq-len 512 --iterations 1 --warmup 0 --no-limits --format json --output "$out/xl" > /dev/null 2>&1 || status=1
begin=$(date +%s.%N)
"$nongemm" inspect gpt2-xl > "$out/inspect.txt" || status=1
end=$(date +%s.%N)
driving=()
if [[ -x build/release/bin/ort_driving_benchmark ]]; then
  for model in gpt2 vit-b; do driving+=("$model $(build/release/bin/ort_driving_benchmark "$model" 40)"); done
fi
# Needs room for three times the weights of gpt2-xl (20 GB) where temporary files go; EXPORT_FOLDER names another place, or
# "none" to leave it out.
export_figures=()
if [[ ${EXPORT_FOLDER:-} != none ]]; then
  read -ra export_figures <<< "$(python3 bench/export.py gpt2-xl --folder "${EXPORT_FOLDER:-$out}")"
fi
python3 bench/goals.py "$out/report.json" --inspect "$(awk "BEGIN {print $end - $begin}")" \
  --memory "$out/xl/report.json" --executor "$(build/release/bin/executor_benchmark)" \
  ${export_figures:+--export "${export_figures[@]}"} --driving "${driving[@]}" || status=1
python3 bench/op.py --nongemm "$nongemm" --reference build/release/bin/operator_benchmark || status=1
python3 bench/traces.py --program "$nongemm" || status=1
# The Python that has torch can be named: PYTHON=/path/to/python make bench
python3 bench/turns.py "${models[@]}" --nongemm "$nongemm" --python "${PYTHON:-python3}" || status=1
exit $status
