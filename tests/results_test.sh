#!/usr/bin/env bash
# `make generated` gives the committed pages byte for byte: results_test.sh PROGRAM
set -euo pipefail
cd "$(dirname "$0")/.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
tools/results.sh "$1" "$made"
status=0
for file in "$made"/*.md; do
  name=$(basename "$file")
  committed=docs/results/$name
  [[ $name == README.md ]] && committed=README.md
  cmp "$file" "$committed" || status=1
done
# Less than 10 MB in all.
size=$(cat docs/results/data/*.json 2>/dev/null | wc -c)
[[ $size -lt 10000000 ]] || { echo "docs/results/data has $size bytes"; status=1; }
[[ $status -eq 0 ]] || echo "make generated makes them anew"
exit $status
