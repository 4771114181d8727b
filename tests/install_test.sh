#!/usr/bin/env bash
# What `make package` packs, from this build: installed with the runtimes' libraries, moved, and run.
#   tests/install_test.sh BUILD
set -euo pipefail
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/first" > /dev/null
cmake --install "$build" --prefix "$work/first" --component bundle > /dev/null
mv "$work/first" "$work/moved to"
mkdir "$work/tiny"
echo '{"model_type": "gpt2", "vocab_size": 50, "n_positions": 32, "n_embd": 8, "n_layer": 1, "n_head": 2}' > "$work/tiny/config.json"
"$(dirname "${BASH_SOURCE[0]}")/../tools/try_tree.sh" "$work/moved to" "$work/tiny"
