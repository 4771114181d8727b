#!/usr/bin/env bash
# Packs TensorRT's libraries into parts for a GPU machine that has none: parts are carried one after another, put into
# one folder there, and unpacked by tensorrt_on_device.sh.
#   bench/carry_tensorrt.sh LIBRARIES [PARTS]     LIBRARIES: folder with libnvinfer.so.*, PARTS: default .carry-tensorrt
set -euo pipefail
cd "$(dirname "$0")/.."
libraries=${1:?folder with libnvinfer.so.*}
parts=${2:-.carry-tensorrt}
mkdir -p "$parts"
files=()
for file in "$libraries"/libnvinfer.so.* "$libraries"/libnvinfer_builder_resource.so.* \
            "$libraries"/libnvinfer_plugin.so.* "$libraries"/libnvonnxparser.so.*; do
  [[ -e $file ]] && files+=("$(basename "$file")")
done
# The kernels of several GPUs resemble each other: a window of 1 GiB halves what the wheel takes.
tar -C "$libraries" -cf - "${files[@]}" | zstd -13 --long=30 -q | split -b 46M - "$parts/part."

# The plugins are linked to cuBLAS and cuDNN, which nothing here calls: empty libraries of these names suffice.
mkdir -p "$parts/empty"
for name in libcublas.so.12 libcublasLt.so.12 libcudnn.so.8; do
  echo | "${CC:-cc}" -shared -Wl,-soname,"$name" -o "$parts/empty/$name" -x c -
done
cp "$(command -v zstd)" "$parts/empty/zstd"
ldd "$parts/empty/zstd" | awk '$3 ~ /lib(z|lzma|lz4)[.]so/ {print $3}' | xargs -I@ cp -L @ "$parts/empty/"
ls -l "$parts"
