#!/usr/bin/env bash
# The project's own figures on the CPU, each a ratio measured in one run (make bench). Goals stand beside them; a missed goal is
# told, not hidden, and makes the exit code 1.
set -euo pipefail
cd "$(dirname "$0")/.."
nongemm=build/release/bin/nongemm
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$nongemm" run gpt2 vit-b swin-t bert --max-seconds 5 --no-limits --output "$out" > "$out/table.txt"
begin=$(date +%s.%N)
"$nongemm" inspect gpt2-xl > "$out/inspect.txt"
end=$(date +%s.%N)
python3 bench/goals.py "$out/report.json" "$(python3 -c "print($end - $begin)")"
