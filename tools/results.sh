#!/usr/bin/env bash
# Makes the pages of docs/results/ that pages.txt lists from the reports beside it, and the tables of README.md from the program.
#   tools/results.sh PROGRAM [FOLDER]     into FOLDER instead of docs/results/ and README.md: for the test that compares
# A report becomes one of these by `nongemm study NAME --output FOLDER` (bench/studies_on_device.sh) and a copy of its report.json.
set -euo pipefail
program=$(realpath "$1")
root=$(realpath "$(dirname "$0")/..")
out=${2:-$root/docs/results}
mkdir -p "$out"
cd "$root/docs/results/data"
while read -r page study reports; do
  [[ -z $page || $page == \#* ]] && continue
  words=()
  for report in $reports; do words+=(--from "$report"); done
  "$program" study "$study" "${words[@]}" --format md > "$out/$page.md.tmp"
  mv "$out/$page.md.tmp" "$out/$page.md"
done < pages.txt
python3 "$root/tools/readme_tables.py" "$program" "$root/README.md" "${2:+$out/README.md}"
