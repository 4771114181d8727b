#!/usr/bin/env bash
# Runs a model in both runtimes by the program below a folder that holds everything: what is loaded lies there, or is the system's.
#   tools/try_tree.sh PREFIX [MODEL]     gpt2
set -euo pipefail
prefix=$(realpath "$1")
model=${2:-gpt2}
"$(dirname "${BASH_SOURCE[0]}")/check_installed.sh" "$prefix"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=$prefix/bin/nongemm
inside() { (cd "$work" && env -i PATH=/usr/bin:/bin HOME="$work" LC_ALL=C.UTF-8 "$@"); }
foreign() { grep -v "^/lib/\|^/lib64/\|^/usr/lib/\|^$prefix/" || true; }

# What modules are linked to, those of devices that this machine lacks included.
for file in "$program" "$prefix"/lib/nongemm/*.so; do
  outside=$(inside ldd "$file" | awk -F ' => ' '$2 ~ /^\// {sub(/ \(0x.*/, "", $2); print $2}' | foreign)
  [[ -z $outside ]] || { echo "try_tree: $file takes $outside" >&2; exit 1; }
done
# What they load by themselves.
inside LD_DEBUG=libs LD_DEBUG_OUTPUT="$work/loaded" "$program" run "$model" --flow torch,ort --iterations 3
loaded=$(sed -n 's/.*calling init: //p' "$work"/loaded.* | sort -u)
for library in libtorch_cpu.so libonnxruntime.so; do
  [[ $loaded == *"$prefix/"*"/$library"* ]] || { echo "try_tree: $library was not taken from $prefix" >&2; exit 1; }
done
outside=$(foreign <<< "$loaded")
[[ -z $outside ]] || { echo "try_tree: loaded from elsewhere: $outside" >&2; exit 1; }

# The shells' files as they lie there, of this program.
# shellcheck disable=SC2016  # the inner shell's
completed=$(inside env PATH="$prefix/bin:/usr/bin:/bin" bash -c 'source "$1/share/bash-completion/completions/nongemm"
  COMP_WORDS=(nongemm ins) COMP_CWORD=1 COMPREPLY=()
  "$(complete -p nongemm | sed "s/.*-F \([^ ]*\) .*/\1/")"
  echo "${COMPREPLY[*]}"' bash "$prefix")
[[ $completed == inspect ]] || { echo "try_tree: bash completes 'ins' to '$completed'" >&2; exit 1; }
if command -v man > /dev/null; then
  page=$(inside env MANPATH="$prefix/share/man" MANPAGER=cat man nongemm)
  [[ $page == *"--flow"* ]] || { echo "try_tree: man does not show the page" >&2; exit 1; }
fi
echo "the program runs in $prefix"
