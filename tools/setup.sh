#!/usr/bin/env bash
# Brings a clone to a built program: Debian packages, PyPI wheels, configure, build. Every step that is already done is
# skipped, and an interrupted one starts over by itself: what is unpacked becomes visible by a rename at its end.
#
#   tools/setup.sh [PRESET [TARGET]]   builds TARGET (default: the program without tests) of PRESET (release)
#   tools/setup.sh --libraries         only the packages and wheels that a build takes (pip wheel builds by itself)
#   tools/setup.sh --lint-tools        only installs what tools/lint.sh needs
#
# Everything is said on stderr: stdout belongs to the program that ./nongemm starts afterwards.
set -euo pipefail
shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=${NONGEMM_DEPS:-$root/.deps}
log=$root/build/setup.log
steps=5
# The same lines as in ./nongemm: a change of any of these means configuring anew.
driver=""
[[ -e /proc/driver/nvidia/version || -e /dev/nvidiactl ]] && driver=driver
settings="${NONGEMM_DEPS:-}|${NONGEMM_TORCH:-}|${NONGEMM_ORT:-}|${NONGEMM_WITH_CUDA:-}|${CXX:-}|$driver"

say() { printf '%s\n' "$*" >&2; }
step() { say "[$1/$steps] $2"; }
die() {
  say "nongemm: $1"
  shift
  for line in "$@"; do say "  $line"; done
  exit 1
}

# --- 1. Debian packages ------------------------------------------------------------------------------------------------

# Installs what is missing of the packages that the files given list.
install_packages() {
  command -v dpkg-query >/dev/null || return 0 # another distribution: CMake names what it does not find
  local wanted=() missing=() package
  while read -r package; do wanted+=("$package"); done < <(sed 's/#.*//; /^[[:space:]]*$/d' "$@")
  # Ubuntu 22.04 has gcc 11 as its default compiler; the program needs 12.
  # shellcheck source=/dev/null
  [[ $(. /etc/os-release && echo "$ID$VERSION_ID") == ubuntu22.04 ]] && wanted+=(g++-12)
  for package in "${wanted[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null) == *installed* ]] || missing+=("$package")
  done
  # What was installed by other means than packages is as good.
  local kept=()
  for package in "${missing[@]}"; do
    case $package in
      cmake | make | unzip | python3 | g++) command -v "$package" >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      pkg-config) command -v pkg-config >/dev/null && continue ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
    esac
    kept+=("$package")
  done
  [[ ${#kept[@]} -eq 0 ]] && return 0

  local command="apt-get install -y --no-install-recommends ${kept[*]}"
  [[ $(id -u) -eq 0 ]] ||
    die "Debian packages are missing. Install them and run the same command again:" "sudo $command"
  step 1 "installing ${#kept[@]} Debian packages: ${kept[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update && $command; } >>"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    die "apt-get could not install: ${kept[*]}" \
      "Without network: install these packages from a mirror or a disk, then run the same command again." "Log: $log"
  fi
}

# --- 2., 3. PyPI wheels --------------------------------------------------------------------------------------------------

# The wheel's version and hash as tools/wheels*.txt pin them.
requirement() { grep -h "^$1==" "$root"/tools/wheels*.txt; }
pinned() { requirement "$1" | cut -d' ' -f1; }

# Prints the path of a wheel whose hash is right: one laid into $deps/wheels by hand, or fetched.
wheel() {
  local name=$1 hash file
  hash=$(requirement "$name" | sed 's/.*sha256://')
  for file in "$deps"/wheels/"${name//-/_}"-*.whl "$deps"/.download/"${name//-/_}"-*.whl; do
    [[ -f $file ]] && echo "$hash  $file" | sha256sum --check --status && echo "$file" && return
  done
  mkdir -p "$deps/.download"
  requirement "$name" >"$deps/.download/$name.txt"
  # The wheel is only unpacked, so this machine's own Python version does not matter.
  local tags=() tag output=$log progress=off
  [[ -t 2 ]] && output=/dev/stderr progress=on
  for tag in 2_28 2_27 2_25 2_18 2_17; do tags+=(--platform "manylinux_${tag}_x86_64"); done
  if ! python3 -m pip download --disable-pip-version-check --progress-bar "$progress" --no-deps --require-hashes \
    --only-binary=:all: --python-version 311 --implementation cp "${tags[@]}" --platform manylinux2014_x86_64 \
    --dest "$deps/.download" --requirement "$deps/.download/$name.txt" >>"$output" 2>&1 </dev/null; then
    [[ $output == "$log" ]] && tail -n 1 "$log" >&2
    say "nongemm: could not fetch the wheel $(pinned "$name") from PyPI"
    return 1
  fi
  wheel "$name"
}

# no_wheel [WHEEL...]: ends the set-up for want of these, or of those that are not unpacked yet.
no_wheel() {
  local name file missing=("$@") lists=("$root/tools/wheels.txt")
  [[ $# -gt 0 ]] && lists=(/dev/null)
  [[ $flavour == cuda && $# -eq 0 ]] && lists+=("$root/tools/wheels-cuda.txt")
  while read -r name _; do
    file=${name//-/_}
    grep -qsF "$name" "$deps"/*/.wheels || compgen -G "$deps/.download/${file/==/-}-*" >/dev/null || missing+=("$name")
  done < <(cat "${lists[@]}" | grep '==')
  die "the set-up lacks these wheels (Linux x86-64, CPython 3.11): ${missing[*]}" \
    "Without network: put them into $deps/wheels/, or name an existing torch: NONGEMM_TORCH=FOLDER." "Log: $log"
}

# part NAME WHEEL...: unpacks the wheels with unpack_NAME into a staging folder that becomes $deps/NAME.
# A list of the wheels inside tells later calls that it is complete and current. The files are as new as the unpacking
# (unzip -DD), for otherwise ninja would not rebuild what includes them after a wheel changed.
part() {
  local name=$1 label="" stage=$deps/.stage/$1 w
  shift
  for w in "$@"; do label+="$(pinned "$w") "; done
  label+=$flavour
  [[ -f $deps/$name/.wheels && $(<"$deps/$name/.wheels") == "$label" ]] && return
  [[ $(uname -m) == x86_64 ]] || die "no wheels are pinned for $(uname -m)" \
    "Name an existing installation: NONGEMM_TORCH=FOLDER, NONGEMM_ORT=FOLDER."
  step "$current" "fetching ${label% *}, what a $flavour build needs of it"
  rm -rf "$stage"
  mkdir -p "$stage"
  "unpack_$name" "$stage" "$@" || return
  keep_licences "$@" || return
  echo "$label" >"$stage/.wheels"
  rm -rf "${deps:?}/$name" && mv "$stage" "$deps/$name" && rm -rf "$deps/.download"
}

# What a wheel says of itself, its files and its licences, in $deps/licences: packages take them from there.
keep_licences() {
  local name file
  for name in "$@"; do
    file=$(wheel "$name") || return
    rm -rf "$deps/licences/${name//-/_}"-*.dist-info
    unzip -qoDD "$file" '*.dist-info/RECORD' '*.dist-info/licen[sc]es/*' '*.dist-info/LICEN[SC]E*' "${name//-/_}/LICENSE" \
      "${name//-/_}/ThirdPartyNotices.txt" -d "$deps/licences" >>"$log" 2>&1 || [[ $? -eq 11 ]] || return # 11: as below
  done
}

# Wheels that were unpacked before licences were kept, or whose folder of them was removed.
fetch_licences() {
  local name pin
  for name in "$@"; do
    pin=$(pinned "$name")
    pin=${name//-/_}-${pin#*==}
    [[ -f $deps/licences/$pin.dist-info/RECORD ]] && continue
    step "$current" "fetching $(pinned "$name") for its licence"
    keep_licences "$name" || no_wheel "$(pinned "$name")"
    rm -rf "$deps/.download"
  done
}

# A CPU program needs libtorch_cpu and libc10; the CUDA libraries are half of the wheel.
unpack_torch() {
  local file patterns=('torch/lib/libtorch_cpu.so' 'torch/lib/libc10.so' 'torch/lib/libgomp.so*')
  [[ $flavour == cuda ]] && patterns+=('torch/lib/lib*cuda*.so' 'torch/lib/libtorch_nvshmem.so' 'torch/lib/libcaffe2_nvrtc.so')
  file=$(wheel torch) &&
    unzip -qDD "$file" 'torch/include/*' "${patterns[@]}" -d "$1" &&
    mv "$1"/torch/* "$1" && rmdir "$1/torch"
}

# libtorch_cpu is linked to libcudart and libcupti, whatever machine it runs on. Our own CUDA library takes the headers and
# the static runtime, and is built on machines without a device too.
unpack_nvidia() {
  local stage=$1 name file libraries='nvidia/cu13/lib/libcu*.so*'
  [[ $flavour == cuda ]] && libraries='nvidia/*/lib/*.so*'
  shift
  for name in "$@"; do
    # The status 11 says that one of the patterns has no match, which is so in some of the wheels.
    file=$(wheel "$name") && { unzip -qoDD "$file" 'nvidia/cu13/include/*' '*/libcudart_static.a' "$libraries" -d "$stage" >>"$log" 2>&1 ||
      [[ $? -eq 11 ]]; } || return
  done
  mv "$stage"/nvidia/* "$stage" && rmdir "$stage/nvidia"
}

unpack_onnxruntime() {
  local file version
  file=$(wheel onnxruntime) && mkdir "$1/lib" && unzip -qjDD "$file" 'onnxruntime/capi/libonnxruntime*' -d "$1/lib" || return
  version=$(pinned onnxruntime)
  ln -s "libonnxruntime.so.${version#*==}" "$1/lib/libonnxruntime.so.1"
}

# The wheel has no headers. Takes onnxruntime_c_api.h from the distribution's own package, of this release or of a later
# one: the C API is stable, so an older header drives a newer library. Tried once a day, or when one was laid in by hand.
fetch_onnxruntime_headers() {
  local tried=$deps/onnxruntime/.headers-tried
  [[ -d $deps/onnxruntime/include ]] && return
  laid_headers >/dev/null || [[ -z $(find "$tried" -mmin -1440 2>/dev/null) ]] || return 0
  step 3 "fetching ONNX Runtime's C headers"
  touch "$tried"
  unpack_onnxruntime_headers >>"$log" 2>&1 && return
  say "      they were not found: the onnxruntime flow is left out ($log says why)"
  say "      Without network: put Debian's package libonnxruntime-dev (a .deb) into $deps/wheels/."
}

laid_headers() { compgen -G "$deps/wheels/libonnxruntime-dev_*.deb"; }

unpack_onnxruntime_headers() {
  local apt=$deps/.stage/apt
  rm -rf "$apt"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  if laid_headers; then
    cp "$deps"/wheels/libonnxruntime-dev_*.deb "$apt"
  else
    download_onnxruntime_headers "$apt" || return
  fi
  dpkg -x "$apt"/libonnxruntime-dev_*.deb "$apt/files" && mv "$apt/files/usr/include/onnxruntime" "$deps/onnxruntime/include"
}

download_onnxruntime_headers() {
  local apt=$1 mirror suite component=main options
  command -v apt-get >/dev/null || return
  # shellcheck source=/dev/null
  case $(. /etc/os-release && echo "$ID") in
    debian) suite=trixie ;;
    ubuntu) suite=resolute component=universe ;;
    *) return 1 ;;
  esac
  # shellcheck disable=SC2016  # apt-get fills these in, not the shell
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' |
    awk '$2 == "Debian" || $2 == "Ubuntu" {print $1; exit}')
  echo "deb $mirror $suite $component" >"$apt/sources.list"
  options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update && (cd "$apt" && apt-get "${options[@]}" download libonnxruntime-dev)
}

fetch_wheels() {
  mkdir -p "$deps"
  flavour=cpu
  # What was fetched on a machine with a driver is kept: clusters share a folder with nodes that have none.
  [[ -n $driver || -n ${NONGEMM_WITH_CUDA:-} || "$(cat "$deps/torch/.wheels" 2>/dev/null)" == *cuda ]] && flavour=cuda
  if [[ -z ${NONGEMM_TORCH:-} ]]; then
    current=2
    local nvidia=(nvidia-cuda-runtime nvidia-cuda-crt nvidia-cuda-cupti) cuda=()
    [[ $flavour == cuda ]] && mapfile -t cuda < <(sed -n 's/==.*//p' "$root/tools/wheels-cuda.txt")
    part nvidia "${nvidia[@]}" "${cuda[@]}" || no_wheel
    part torch torch || no_wheel
    [[ -z $licences ]] || fetch_licences "${nvidia[@]}" "${cuda[@]}" torch
  fi
  if [[ -z ${NONGEMM_ORT:-} ]]; then
    current=3
    # The program can do without this flow.
    if part onnxruntime onnxruntime; then
      [[ -z $licences ]] || fetch_licences onnxruntime
      fetch_onnxruntime_headers
    else
      say "      the onnxruntime flow is left out; the next set-up tries again"
    fi
  fi
  rm -rf "$deps/.stage"
}

# --- 4., 5. Configure and build --------------------------------------------------------------------------------------------

# A compiler of at least gcc 12: $CXX, the default one, or a versioned one beside it.
compiler() {
  local candidate
  for candidate in ${CXX:-c++ g++-12 g++-13 g++-14}; do
    command -v "$candidate" >/dev/null || continue
    "$candidate" -dumpversion | awk -F. '{exit !($1 >= 12)}' && echo "$candidate" && return
  done
  echo "${CXX:-c++}"
}

# Files with ATen headers take about 1.5 GB each to compile.
jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1572864)}' /proc/meminfo)
  ((memory < cores)) && cores=$memory
  echo $((cores > 0 ? cores : 1))
}

# Shows one moving line of ninja's output on a terminal, and keeps all of it in the log.
show_progress() {
  local line
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    [[ -t 2 && $line == \[* ]] && printf '\r\033[K      %s' "${line:0:100}"
  done
  [[ -t 2 ]] && printf '\r\033[K'
  return 0
}

fail_build() {
  # From the first failure on; configure errors have no such line and are short.
  sed -n '/^FAILED:\|CMake Error/,$p' "$log" | head -n 60 >&2
  die "$1 failed" "The whole log: $log"
}

configure() {
  local configured
  configured=$({ cat "$deps"/*/.wheels "$deps/onnxruntime/include/onnxruntime_c_api.h" 2>/dev/null || true; } | sha256sum)
  configured+=$settings
  [[ -f $build/build.ninja && -f $build/.nongemm-settings && $(<"$build/.nongemm-settings") == "$configured" ]] && return
  step 4 "configuring $preset"
  local cxx errors=OFF
  cxx=$(compiler)
  # A warning is an error where it has been seen that there is none: in the tests' build with the compiler that CI has.
  # What another one warns about must keep nobody from the program or its tests.
  [[ $preset != @(release|package) && $("$cxx" -dumpversion) == 12* ]] && errors=ON
  cmake --preset "$preset" -DNONGEMM_DEPS="$deps" -DNONGEMM_TORCH="${NONGEMM_TORCH:-}" -DNONGEMM_ORT="${NONGEMM_ORT:-}" \
    -DCMAKE_CXX_COMPILER="$cxx" -DNONGEMM_WERROR="$errors" >>"$log" 2>&1 || fail_build "configuring"
  echo "$configured" >"$build/.nongemm-settings"
}

build() {
  local with=""
  [[ -f $build/toolchain.txt ]] && with=": $(<"$build/toolchain.txt")"
  step 5 "building $preset$with"
  # Sources that change while this runs are newer than the stamp, so the next call builds them.
  echo "$settings" >"$build/.nongemm-stamp.new"
  cmake --build "$build" --target "$target" -j "$(jobs)" 2>&1 | show_progress || fail_build "the build"
  mv "$build/.nongemm-stamp.new" "$build/.nongemm-stamp"
}

main() {
  mkdir -p "$root/build" "$deps"
  exec 9>"$root/build/.setup-lock"
  flock --nonblock 9 || {
    say "nongemm: another set-up of this folder is running; waiting for it"
    flock 9
  }
  : >"$log"
  if [[ ${1:-} == --lint-tools ]]; then
    install_packages "$root/tools/debian-packages-lint.txt"
    return
  fi
  licences=yes # whether those of the libraries are wanted, which packages hold
  if [[ ${1:-} == --libraries ]]; then
    install_packages "$root/tools/debian-packages.txt"
    fetch_wheels
    return
  fi
  preset=${1:-release}
  [[ $preset == package ]] || licences=""
  build=$root/build/$preset
  [[ -d $deps/torch || -n ${NONGEMM_TORCH:-} ]] ||
    say "nongemm: first call: setting everything up, which needs about 2 GB of disk (log: $log)"
  local lists=("$root/tools/debian-packages.txt")
  [[ $preset == package ]] && lists+=("$root/tools/debian-packages-package.txt")
  install_packages "${lists[@]}"
  fetch_wheels
  [[ $flavour == cpu ]] || settings=${settings%driver}driver
  # Modules for CUDA devices are a sixth of what there is to compile. Whoever names libraries may have named such for them.
  target=${2:-runtime}
  if [[ $# -lt 2 && $preset == release && $flavour == cpu && -z ${NONGEMM_TORCH:-}${NONGEMM_ORT:-}${TENSORRT_ROOT:-} ]]; then
    target=host_runtime
    rm -f "$build"/lib/nongemm/libnongemm_{cuda,torch_cuda}.so # of an earlier build, which nothing would make again
  fi
  configure
  build
}

cd "$root"
# In one line with exit: bash reads on in this file, which a git pull may have changed meanwhile.
main "$@" && exit
