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
program="$work/moved to/bin/nongemm"
# Libraries found outside the folder, but for the system's, would be the build's.
for file in "$program" "$work/moved to"/lib/nongemm/*.so; do
  outside=$(env -i ldd "$file" | awk '$3 ~ /^\// {print $3}' | grep -v "^/lib/\|^/usr/lib/\|^$work/" || true)
  [[ -z $outside ]] || { echo "$file takes $outside" >&2; exit 1; }
done
(cd "$work" && env -i PATH=/usr/bin:/bin HOME="$work" LC_ALL=C.UTF-8 "$program" run gpt2 --flow torch,ort --iterations 3)
env -i PATH=/usr/bin:/bin MANPATH="$work/moved to/share/man" man -w nongemm > /dev/null
echo "the tarball runs where it was moved to"
