#!/usr/bin/env bash
# Unpacks the tarball of cpack, moves it, and runs `nongemm run gpt2` there in both runtimes, with nothing of the build in reach.
#   tools/try_tarball.sh nongemm-VERSION-Linux.tar.gz
set -euo pipefail
tarball=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/first"
tar -xzf "$tarball" -C "$work/first"
mv "$work"/first/* "$work/moved to"
"$(dirname "${BASH_SOURCE[0]}")/try_tree.sh" "$work/moved to"
echo "the tarball runs where it was moved to"
