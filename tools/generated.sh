#!/usr/bin/env bash
# Writes anew what the program's tables say of themselves: docs/cli.md below its head, docs/figures.md, the tables of README.md, the
# pages of docs/results/ and the golden files. `git diff` shows what users will see.
#   tools/generated.sh BUILD     a build folder with the program and golden_test
set -euo pipefail
build=$(realpath "$1")
root=$(realpath "$(dirname "$0")/..")
program=$build/bin/nongemm
made=$(mktemp)
trap 'rm -f "$made"' EXIT
cd "$root"

# The head of docs/cli.md is written by hand.
sed '/^## nongemm list$/,$d' docs/cli.md > "$made"
"$program" list options | sed 1d >> "$made"
cat "$made" > docs/cli.md
"$program" list figures > "$made"
cat "$made" > docs/figures.md
tools/results.sh "$program"
NONGEMM_GOLDEN="write" "$build/tests/golden_test" --gtest_brief=1
