#!/usr/bin/env bash
# Completions and the man page as shells and man read them.
#   tests/completion_test.sh PROGRAM
set -euo pipefail
program=$1
fail() { echo "completion_test: $*" >&2; exit 1; }

# shellcheck source=/dev/null
source <("$program" list bash)
# What is offered for the last of these words.
offered() {
  COMP_WORDS=("$@")
  COMP_CWORD=$(($# - 1))
  COMPREPLY=()
  _nongemm
  echo "${COMPREPLY[*]}"
}
[[ $(offered nongemm ins) == inspect ]] || fail "a command is not completed"
[[ $(offered nongemm run gpt2 --cuda-g) == --cuda-graph ]] || fail "an option is not completed"
[[ $(offered nongemm run --flow or) == ort ]] || fail "a value is not completed"
[[ $(offered nongemm run --flow torch,or) == torch,ort ]] || fail "a second value is not completed"
[[ $(offered nongemm list fl) == flows ]] || fail "a subject is not completed"
[[ $(offered nongemm verify --cuda-g) == "" ]] || fail "an option of another command is offered"
[[ $(offered nongemm run --set ort.le) == ort.level= ]] || fail "a setting of a flow is not completed"
if command -v zsh > /dev/null; then zsh -n <("$program" list zsh) || fail "zsh cannot read its completion"; fi
if command -v fish > /dev/null; then fish -n <("$program" list fish) || fail "fish cannot read its completion"; fi
# Whole texts first: a program whose reader goes early would fail the pipe.
bash=$("$program" list bash) zsh=$("$program" list zsh) fish=$("$program" list fish) man=$("$program" list man)
man=${man//\\-/-}
for option in $("$program" list options | grep -o '`--[a-z0-9-]*' | tr -d '`' | sort -u); do
  [[ $bash == *"$option"* ]] || fail "$option is missing in bash"
  [[ $man == *"$option"* ]] || fail "$option is missing in the man page"
  [[ $option == --set ]] && continue
  [[ $zsh == *"$option"* ]] || fail "$option is missing in zsh"
  [[ $fish == *"-l ${option#--} "* ]] || fail "$option is missing in fish"
done
if command -v man > /dev/null; then
  warnings=$("$program" list man | man --warnings -E UTF-8 -l - 2>&1 > /dev/null)
  [[ -z $warnings ]] || fail "man warns: $warnings"
fi
echo "completions: ok"
