#!/usr/bin/env bash
# Text generation on a GPU machine that has torch and transformers for Python and what carry.sh gathered: the tests of the
# torch flow there, then generation.py. Results go to $OUT (or ./gpu-results).
#   bench/generation_on_device.sh [MODEL...]
set -uo pipefail
cd "$(dirname "$0")/.." || exit
out=${OUT:-gpu-results}
mkdir -p "$out"
carry=${CARRY:-$PWD/.carry}
python=${PYTHON:-python3}
chmod +x "$carry"/bin/* 2>/dev/null
torch_lib=$("$python" -c 'import torch, os; print(os.path.join(os.path.dirname(torch.__file__), "lib"))') || exit
paths=$torch_lib
for folder in "$(dirname "$(dirname "$torch_lib")")"/nvidia/*/lib; do [[ -d $folder ]] && paths+=:$folder; done
export NONGEMM_MODULES=$carry/lib/nongemm
ours="env LD_LIBRARY_PATH=$paths:${LD_LIBRARY_PATH:-}:$carry/lib/system $carry/bin/nongemm"
env -u CC -u CXX "$python" bench/generation.py "$ours" "$out/generation" "$@" 2>&1 | tee "$out/generation.txt"
