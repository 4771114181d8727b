#!/usr/bin/env bash
# Text generation on a GPU machine that has torch and transformers for Python and what carry.sh gathered: the tests of the
# torch flow there, then generation.py. Results go to $OUT (or ./gpu-results).
#   bench/generation_on_device.sh [MODEL...]
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# shellcheck source=bench/device_environment.sh
source bench/device_environment.sh
env -u CC -u CXX "$python" bench/generation.py "${ours[*]} $carry/bin/nongemm" "$out/generation" "$@" 2>&1 | tee "$out/generation.txt"
